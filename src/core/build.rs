//! Generates the client side of azd's services (azd/proto), without a `protoc` program.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(["azdext.proto"], ["azd/proto"])?;
    tonic_prost_build::configure().build_server(false).build_transport(false).compile_fds(descriptors)?;
    println!("cargo::rerun-if-changed=azd/proto");
    Ok(())
}

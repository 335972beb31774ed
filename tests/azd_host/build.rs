//! Generates the server side of azd's services from the proto files of the program.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(["azdext.proto"], ["../../src/core/azd/proto"])?;
    tonic_prost_build::configure().build_client(false).compile_fds(descriptors)?;
    println!("cargo::rerun-if-changed=../../src/core/azd/proto");
    Ok(())
}

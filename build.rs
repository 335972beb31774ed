//! Makes the code for azd's protocol out of `src/azd/proto`, without a `protoc` on the machine. The server's half is for
//! the fake azd of the tests.

const PROTO: &str = "src/azd/proto/azdext.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let files = protox::compile([PROTO], ["src/azd/proto"])?;
    let for_tests = std::env::var_os("CARGO_FEATURE_TEST_FAKES").is_some();
    tonic_prost_build::configure().build_server(for_tests).compile_fds(files)?;
    Ok(())
}

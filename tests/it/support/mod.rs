//! Setup for tests of the real program: its own home directory, a cleared environment, a local Foundry project, a fake
//! AzCopy.

mod blob_stub;
#[cfg(unix)]
#[path = "../../support/block_store/mod.rs"]
mod block_store;
#[cfg(unix)]
mod connect_proxy;
#[cfg(unix)]
mod content;
#[cfg(unix)]
mod fault_proxy;
#[cfg(unix)]
mod file_server;
mod output;
mod process;
mod running;
#[cfg(unix)]
mod terminal;
mod test_env;

pub(crate) use blob_stub::{BlobStub, StubResponse};
#[cfg(unix)]
pub(crate) use block_store::{Behaviour, BlockStore, Copying, Lists, Read, ReadBehaviour, Received, SourceFault};
#[cfg(unix)]
pub(crate) use connect_proxy::{ConnectProxy, TlsHost};
#[cfg(unix)]
pub(crate) use content::{extend_varied, sha256, varied_content};
#[cfg(unix)]
pub(crate) use fault_proxy::{FaultProxy, ResponseFault, Rule};
#[cfg(unix)]
pub(crate) use file_server::{FileServer, Serve};
pub(crate) use output::Output;
#[cfg(unix)]
pub(crate) use output::abridged;
pub(crate) use process::{eventually, wait};
#[cfg(unix)]
pub(crate) use process::{is_alive, send};
pub(crate) use running::Running;
#[cfg(unix)]
pub(crate) use terminal::{Ended, Terminal, styles};
pub(crate) use test_env::TestEnv;

use foundry_emulator::Config;

/// Variable that names the user's home directory.
pub(crate) const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// Part of every SAS in these tests, which must never appear anywhere.
pub(crate) const CANARY: &str = "CANARY5A5";

/// API versions that the program supports; both behave the same for the user.
pub(crate) const API_VERSIONS: [&str; 2] = ["2025-11-15-preview", "v1"];

/// Creates two tests from each function that accepts an API version.
macro_rules! for_each_api_version {
    ($($test:ident),+ $(,)?) => {
        mod preview {
            $(#[test] fn $test() { insta::allow_duplicates!(super::$test(crate::support::API_VERSIONS[0])); })+
        }
        mod v1 {
            $(#[test] fn $test() { insta::allow_duplicates!(super::$test(crate::support::API_VERSIONS[1])); })+
        }
    };
}
pub(crate) use for_each_api_version;

/// Creates the model of [`TestEnv::write_model`].
pub(crate) const CREATE: [&str; 6] = ["custom", "create", "--name", "my-model", "--source", "model"];

/// Environment with the small model.
pub(crate) fn env_with_model() -> TestEnv {
    env_with(Config::default())
}

/// As [`env_with_model`], with this emulator.
pub(crate) fn env_with(config: Config) -> TestEnv {
    let env = TestEnv::with(config);
    env.write_model();
    env
}

/// Runs `create` with additional options.
#[must_use = "either snapshot the output or assert the exit code"]
pub(crate) fn create(env: &TestEnv, more: &[&str]) -> Output {
    env.run(&[&CREATE[..], more].concat())
}

/// A project with three versions of `my-model` and one of `test-model`.
pub(crate) fn env_with_models(api: &str) -> TestEnv {
    let env = TestEnv::with_api(api, Config::default());
    for (name, version) in [("my-model", "1"), ("my-model", "10"), ("my-model", "9"), ("test-model", "1")] {
        let model = serde_json::json!({
            "name": name, "version": version, "description": "My fine-tuned model", "weightType": "FullWeight",
            "blobUri": "https://storage.blob.core.windows.net/container", "tags": {"team": "b", "area": "a"},
        });
        env.emulator().seed(&model).expect("seeded");
    }
    env
}

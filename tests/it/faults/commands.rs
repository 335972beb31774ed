//! Commands of the matrix: the environment that each runs in, and the check of its effects.

use super::fixture::{
    CREATE_NATIVE, Fixture, PROJECT_ID, interrupted, overwriting, seeded, uploaded, with_account, with_azcopy,
    with_azd, with_blocks, with_small_files, with_unknown_account,
};
use super::outcome::{
    accepted, connected, created, deleted, deployed, deployment_shown, deployments_listed, downloaded, listed,
    registered, scaled, shown, undeployed, updated, verified,
};
use crate::support::Rule;

/// A command line of the matrix.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) args: &'static [&'static str],
    /// Creates a fresh environment in which the command succeeds, unless the rule applies.
    pub(super) fixture: fn(Option<Rule>) -> Fixture,
    /// Checks the standard output of the command against the state of the service.
    pub(super) check: fn(&Fixture, &[u8]) -> Result<(), String>,
}

pub(super) const COMMANDS: &[Command] = &[
    Command { name: "list", args: &["custom", "list"], fixture: seeded, check: listed },
    Command { name: "versions", args: &["custom", "versions", "-n", "my-model"], fixture: seeded, check: listed },
    Command {
        name: "show",
        args: &["custom", "show", "-n", "my-model", "--version", "1"],
        fixture: seeded,
        check: shown,
    },
    Command { name: "show latest", args: &["custom", "show", "-n", "my-model"], fixture: seeded, check: shown },
    Command {
        name: "wait",
        args: &["custom", "wait", "-n", "my-model", "--version", "1"],
        fixture: seeded,
        check: shown,
    },
    Command {
        name: "update",
        args: &["custom", "update", "-n", "my-model", "--version", "1", "--set-tag", "key=new"],
        fixture: seeded,
        check: updated,
    },
    Command {
        name: "delete",
        args: &["custom", "delete", "-n", "my-model", "--version", "1", "--force"],
        fixture: seeded,
        check: deleted,
    },
    Command { name: "create, native", args: &CREATE_NATIVE, fixture: with_blocks, check: created },
    Command { name: "create, resumed", args: &CREATE_NATIVE, fixture: interrupted, check: created },
    Command { name: "create, AzCopy", args: &CREATE_AZCOPY, fixture: with_azcopy, check: registered },
    Command { name: "create --overwrite", args: &OVERWRITE, fixture: overwriting, check: created },
    Command { name: "create --version auto", args: &AUTO, fixture: with_small_files, check: created },
    Command { name: "create --no-wait", args: &NO_WAIT, fixture: with_small_files, check: accepted },
    Command {
        name: "verify",
        args: &["custom", "verify", "-n", "my-model", "--source", "model"],
        fixture: uploaded,
        check: verified,
    },
    Command { name: "verify --full", args: &VERIFY_FULL, fixture: uploaded, check: verified },
    Command {
        name: "download",
        args: &["custom", "download", "-n", "my-model", "--to", "out"],
        fixture: uploaded,
        check: downloaded,
    },
    Command {
        name: "deployments list",
        args: &["deployments", "list"],
        fixture: with_unknown_account,
        check: deployments_listed,
    },
    Command {
        name: "deployments show",
        args: &["deployments", "show", "-n", "chat"],
        fixture: with_account,
        check: deployment_shown,
    },
    Command { name: "deployments create", args: &DEPLOY, fixture: with_account, check: deployed },
    Command { name: "deployments update", args: &GROW, fixture: with_account, check: scaled },
    Command {
        name: "deployments wait",
        args: &["base", "deployments", "wait", "-n", "chat"],
        fixture: with_account,
        check: deployment_shown,
    },
    Command {
        name: "deployments delete",
        args: &["deployments", "delete", "-n", "chat", "-f"],
        fixture: with_account,
        check: undeployed,
    },
    Command { name: "init", args: &["init", "-p", PROJECT_ID, "-n", "dev"], fixture: with_azd, check: connected },
];

const CREATE_AZCOPY: [&str; 6] = ["custom", "create", "-n", "my-model", "--source", "model"];
const OVERWRITE: [&str; 10] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native", "--overwrite", "--yes"];
const AUTO: [&str; 10] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native", "--version", "auto"];
const NO_WAIT: [&str; 9] =
    ["custom", "create", "-n", "my-model", "--source", "model", "--engine", "native", "--no-wait"];
const VERIFY_FULL: [&str; 7] = ["custom", "verify", "-n", "my-model", "--source", "model", "--full"];
const DEPLOY: [&str; 8] = ["custom", "deployments", "create", "-n", "dep", "--model", "my-model", "--yes"];
const GROW: [&str; 7] = ["base", "deployments", "update", "-n", "chat", "--sku-capacity", "20"];

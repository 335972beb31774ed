//! The commands of the matrix: the setup that each runs in, and the verification of its output.

use super::outcome::{
    accepted, connected, created, deleted, deployed, deployment_shown, deployments_listed, downloaded, grown, listed,
    registered, shown, undeployed, updated, verified,
};
use super::world::{
    CREATE_NATIVE, PROJECT_ID, World, interrupted, overwriting, seeded, uploaded, with_account, with_azcopy, with_azd,
    with_blocks, with_small_files, with_unknown_account,
};
use crate::support::Rule;

/// One command line.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) args: &'static [&'static str],
    /// A fresh world in which the command succeeds, except for the rule.
    pub(super) world: fn(Option<Rule>) -> World,
    /// Compares the standard output of the command with the state of the service.
    pub(super) happened: fn(&World, &[u8]) -> Result<(), String>,
}

pub(super) const COMMANDS: &[Command] = &[
    Command { name: "list", args: &["custom", "list"], world: seeded, happened: listed },
    Command { name: "versions", args: &["custom", "versions", "-n", "my-model"], world: seeded, happened: listed },
    Command {
        name: "show",
        args: &["custom", "show", "-n", "my-model", "--version", "1"],
        world: seeded,
        happened: shown,
    },
    Command { name: "show latest", args: &["custom", "show", "-n", "my-model"], world: seeded, happened: shown },
    Command {
        name: "wait",
        args: &["custom", "wait", "-n", "my-model", "--version", "1"],
        world: seeded,
        happened: shown,
    },
    Command {
        name: "update",
        args: &["custom", "update", "-n", "my-model", "--version", "1", "--set-tag", "key=new"],
        world: seeded,
        happened: updated,
    },
    Command {
        name: "delete",
        args: &["custom", "delete", "-n", "my-model", "--version", "1", "--force"],
        world: seeded,
        happened: deleted,
    },
    Command { name: "create, native", args: &CREATE_NATIVE, world: with_blocks, happened: created },
    Command { name: "create, resumed", args: &CREATE_NATIVE, world: interrupted, happened: created },
    Command { name: "create, AzCopy", args: &CREATE_AZCOPY, world: with_azcopy, happened: registered },
    Command { name: "create --overwrite", args: &OVERWRITE, world: overwriting, happened: created },
    Command { name: "create --version auto", args: &AUTO, world: with_small_files, happened: created },
    Command { name: "create --no-wait", args: &NO_WAIT, world: with_small_files, happened: accepted },
    Command {
        name: "verify",
        args: &["custom", "verify", "-n", "my-model", "--source", "model"],
        world: uploaded,
        happened: verified,
    },
    Command { name: "verify --full", args: &VERIFY_FULL, world: uploaded, happened: verified },
    Command {
        name: "download",
        args: &["custom", "download", "-n", "my-model", "--to", "out"],
        world: uploaded,
        happened: downloaded,
    },
    Command {
        name: "deployments list",
        args: &["deployments", "list"],
        world: with_unknown_account,
        happened: deployments_listed,
    },
    Command {
        name: "deployments show",
        args: &["deployments", "show", "-n", "chat"],
        world: with_account,
        happened: deployment_shown,
    },
    Command { name: "deployments create", args: &DEPLOY, world: with_account, happened: deployed },
    Command { name: "deployments update", args: &GROW, world: with_account, happened: grown },
    Command {
        name: "deployments wait",
        args: &["base", "deployments", "wait", "-n", "chat"],
        world: with_account,
        happened: deployment_shown,
    },
    Command {
        name: "deployments delete",
        args: &["deployments", "delete", "-n", "chat", "-f"],
        world: with_account,
        happened: undeployed,
    },
    Command { name: "init", args: &["init", "-p", PROJECT_ID, "-n", "dev"], world: with_azd, happened: connected },
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

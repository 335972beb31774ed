//! Standard output of each command with `-o json`.

/// Result of a command.
pub(super) struct ResultShape {
    /// Words of the command.
    pub(super) command: &'static str,
    /// Result of the command, in Markdown. Keys of an object are listed without their values.
    pub(super) json: &'static str,
}

const fn shape(command: &'static str, json: &'static str) -> ResultShape {
    ResultShape { command, json }
}

const MODEL: &str =
    "the model as the service describes it: `name`, `version`, `blobUri`, `weightType`, `tags` and more";
const MODELS: &str = "a list of models as the service describes them; `[]` where there are none";
const DEPLOYMENT: &str =
    "the deployment as Azure describes it: `name`, `sku`, `properties.model`, `properties.provisioningState` and more";
const DEPLOYMENTS: &str = "a list of deployments as Azure describes them; `[]` where there are none";
const DEPLOYMENT_DELETED: &str = "`{\"name\",\"deleted\"}`; `deleted` is false where `--if-exists` found nothing";
const CATALOG: &str = "a list of catalog models as Azure describes them";

/// All commands that the page describes.
pub(super) const SHAPES: &[ResultShape] = &[
    shape("init", "one object with `environment` and the seven `AZURE_*` values"),
    shape(
        "custom create",
        "the model as the service describes it; with the native engine also `files`, a list of `{\"path\",\"bytes\",\"sha256\"}`; \
         with `--deploy` also `deployment`. With `--no-wait`: `{\"name\",\"version\",\"status\",\"operation\"}`. \
         With `--detach`: `{\"id\",\"name\",\"version\",\"pid\",\"journal\",\"log\",\"events\"}`. With `--dry-run` \
         the plan: `{\"schemaVersion\",\"name\",\"version\",\"endpoint\",\"source\",\"engine\",\"registration\",\"options\",\"files\",\"excluded\",\
         \"totals\",\"findings\",\"requests\",\"estimate\"}`, and `import` for an hf:// source. With `--if-changed` where a version \
         has the same content: `{\"name\",\"version\",\"contentDigest\",\"created\"}`, `created` being false",
    ),
    shape("custom list", MODELS),
    shape("custom versions", MODELS),
    shape("custom check", "a list of `{\"level\",\"code\",\"file\",\"message\",\"remedy\"}`, also after exit code 6"),
    shape(
        "custom uploads list",
        "a list of `{\"id\",\"name\",\"version\",\"endpoint\",\"source\",\"state\",\"files\",\"bytes\",\"createdAt\",\"updatedAt\",\
         \"pid\",\"percent\",\"bytesPerSecond\",\"etaSeconds\"}`; the last four are null where no process uploads",
    ),
    shape("custom uploads attach", "the result of the upload that is followed, as `custom create` prints it"),
    shape("custom uploads stop", "nothing"),
    shape("custom uploads log", "nothing but the log, which is text"),
    shape("custom uploads resume", "as `custom create`"),
    shape("custom uploads discard", "a list of the ids that were discarded"),
    shape("custom show", "the model as the service describes it. With `--web`: `{\"name\",\"version\",\"url\"}`"),
    shape(
        "custom verify",
        "`{\"name\",\"version\",\"source\",\"full\",\"contentDigest\",\"contentDigestStatus\",\"totals\",\"files\"}`, also after exit code 6; \
         `files` is a list of `{\"path\",\"status\",\"proof\",\"bytes\",\"sourceBytes\",\"sha256\"}`, `status` one of ok, missing, extra, other size, \
         other content, unproved, and `proof` hashed, sized, listed or null",
    ),
    shape(
        "custom download",
        "`{\"name\",\"version\",\"to\",\"totals\",\"files\"}`; `files` is a list of `{\"path\",\"bytes\",\"sha256\",\"status\",\"proof\"}`, \
         `status` downloaded or present, `proof` hashed or sized. With `-q` the paths, one a line",
    ),
    shape("custom update", MODEL),
    shape(
        "custom delete",
        "`{\"name\",\"version\",\"deleted\"}`; `deleted` is false where `--if-exists` found nothing, and `version` then null \
         where none was named",
    ),
    shape("custom wait", MODEL),
    shape(
        "custom deployments create",
        "the deployment as Azure describes it. With `--dry-run` the checks and the request",
    ),
    shape("custom deployments list", DEPLOYMENTS),
    shape("custom deployments show", DEPLOYMENT),
    shape("custom deployments update", DEPLOYMENT),
    shape("custom deployments delete", DEPLOYMENT_DELETED),
    shape("custom deployments wait", DEPLOYMENT),
    shape("base list", CATALOG),
    shape("base show", "`{\"name\",\"versions\",\"usages\"}`: versions and quotas as Azure describes them"),
    shape(
        "base deployments create",
        "the deployment as Azure describes it. With `--dry-run` the checks and the request",
    ),
    shape("base deployments list", DEPLOYMENTS),
    shape("base deployments show", DEPLOYMENT),
    shape("base deployments update", DEPLOYMENT),
    shape("base deployments delete", DEPLOYMENT_DELETED),
    shape("base deployments wait", DEPLOYMENT),
    shape("deployments list", DEPLOYMENTS),
    shape("deployments show", DEPLOYMENT),
    shape("deployments delete", DEPLOYMENT_DELETED),
    shape("deployments test", "`{\"name\",\"answer\",\"latencyMs\",\"usage\",\"endpoint\",\"curl\"}`"),
    shape(
        "doctor",
        "`{\"schemaVersion\",\"checks\"}`, also after exit code 1, without an error line: each check has `id`, `status` (`ok`, \
         `warning`, `failed`), `message` and `fix`, which may be null",
    ),
    shape("version", "`{\"version\",\"commit\",\"buildDate\"}`"),
    shape("completion", "the script, whatever the format"),
    shape("skill", "this page, whatever the format"),
];

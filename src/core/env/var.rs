//! Names of the variables that the program and the libraries in it read: one table, from which that of
//! design/cli.md#environment-variables and the metadata for azd come too.

/// Variable of the process environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Name.
    pub name: &'static str,
    /// Sentences for the user, in Markdown.
    pub description: &'static str,
    /// Value that counts where it is not set; empty if there is none.
    pub default: &'static str,
    /// Value as it may be set; empty if none would help.
    pub example: &'static str,
}

macro_rules! variables {
    ($($(#[doc = $doc:literal])+ $ident:ident = $name:literal, $default:literal, $example:literal;)+) => {
        $($(#[doc = $doc])+ pub const $ident: &str = $name;)+

        /// All variables, those first that users set.
        pub static TABLE: &[Variable] = &[$(Variable {
            name: $name,
            description: concat!($($doc),+).trim_ascii_start(),
            default: $default,
            example: $example,
        }),+];
    };
}

variables! {
    /// Endpoint of the Foundry project.
    AZURE_PROJECT_ENDPOINT = "AZURE_PROJECT_ENDPOINT", "", "https://my-account.services.ai.azure.com/api/projects/my-project";
    /// Endpoint of the Foundry project, by the name that other extensions store it under. Counts after
    /// `AZURE_PROJECT_ENDPOINT`.
    FOUNDRY_PROJECT_ENDPOINT = "FOUNDRY_PROJECT_ENDPOINT", "", "https://my-account.services.ai.azure.com/api/projects/my-project";
    /// ARM id of the Foundry project, as azd's Foundry provider stores it in an azd environment: `init` and
    /// commands for deployments need no search then.
    AZURE_AI_PROJECT_ID = "AZURE_AI_PROJECT_ID", "", "/subscriptions/8861a79b-122e-4733-b9f0-bb521b0268ce/resourceGroups/my-group/providers/Microsoft.CognitiveServices/accounts/my-account/projects/my-project";
    /// Tenant for tokens, where it is not the account's own.
    AZURE_TENANT_ID = "AZURE_TENANT_ID", "", "11111111-2222-3333-4444-555555555555";
    /// Subscription of the project; searched first, and the default of `init`.
    AZURE_SUBSCRIPTION_ID = "AZURE_SUBSCRIPTION_ID", "", "8861a79b-122e-4733-b9f0-bb521b0268ce";
    /// Resource group of the project's account, so that commands for deployments need not search for it.
    AZURE_RESOURCE_GROUP_NAME = "AZURE_RESOURCE_GROUP_NAME", "", "my-group";
    /// Foundry account of the project, by its Azure resource name; with `AZURE_PROJECT_NAME` it also makes the
    /// endpoint in an azd environment.
    AZURE_ACCOUNT_NAME = "AZURE_ACCOUNT_NAME", "", "my-account";
    /// Foundry project.
    AZURE_PROJECT_NAME = "AZURE_PROJECT_NAME", "", "my-project";
    /// Azure region of the project; stored by `init`, not read.
    AZURE_LOCATION = "AZURE_LOCATION", "", "eastus2";
    /// How to sign in: `azd`, `azcli`, `workload`, `managed`, `env`, or `emulator` for a local emulator.
    CREDENTIAL = "AZURE_AI_MODELS_CREDENTIAL", "azd", "azcli";
    /// Application id of the service principal of `env`; also picks the identity of `managed` and `workload`.
    AZURE_CLIENT_ID = "AZURE_CLIENT_ID", "", "11111111-2222-3333-4444-555555555555";
    /// Secret of the service principal of `env`.
    AZURE_CLIENT_SECRET = "AZURE_CLIENT_SECRET", "", "";
    /// Certificate of a service principal; not supported, and said so where `env` finds no secret.
    AZURE_CLIENT_CERTIFICATE_PATH = "AZURE_CLIENT_CERTIFICATE_PATH", "", "";
    /// File with the token that `workload` exchanges; set by Kubernetes.
    AZURE_FEDERATED_TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE", "", "/var/run/secrets/azure/tokens/azure-identity-token";
    /// Sign-in service of `env` and `workload`.
    AZURE_AUTHORITY_HOST = "AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com", "https://login.microsoftonline.us";
    /// Address at which `managed` gets tokens; set by App Service and similar hosts, as `IDENTITY_HEADER`,
    /// `IDENTITY_SERVER_THUMBPRINT`, `IMDS_ENDPOINT`, `MSI_ENDPOINT` and `MSI_SECRET` are.
    IDENTITY_ENDPOINT = "IDENTITY_ENDPOINT", "", "";
    /// Additional host that may receive tokens.
    ALLOW_HOST = "AZURE_AI_MODELS_ALLOW_HOST", "", "foundry.example.com";
    /// Token scope, for clouds without a known one.
    SCOPE = "AZURE_AI_MODELS_SCOPE", "", "https://ai.azure.com/.default";
    /// Azure Resource Manager for `init`, for choosing a project and for deployments: https, this machine, or a
    /// host that `AZURE_AI_MODELS_ALLOW_HOST` names.
    ARM_ENDPOINT = "AZURE_AI_MODELS_ARM_ENDPOINT", "https://management.azure.com", "https://management.usgovcloudapi.net";
    /// API version of the Foundry project: `2025-11-15-preview` or `v1`.
    API_VERSION = "AZURE_AI_MODELS_API_VERSION", "2025-11-15-preview", "v1";
    /// Upload engine: `azcopy` or `native`.
    ENGINE = "AZURE_AI_MODELS_ENGINE", "azcopy", "native";
    /// Time without progress after which an upload is ended.
    STALL_TIMEOUT = "AZURE_AI_MODELS_STALL_TIMEOUT", "10m", "30m";
    /// The Hugging Face Hub, for `hf://` sources: https, or http on this machine.
    HF_ENDPOINT = "HF_ENDPOINT", "https://huggingface.co", "https://hub.example.com";
    /// Token for the Hub.
    HF_TOKEN = "HF_TOKEN", "", "";
    /// Token for the Hub, by its older name. Counts after `HF_TOKEN`.
    HUGGING_FACE_HUB_TOKEN = "HUGGING_FACE_HUB_TOKEN", "", "";
    /// File with the Hub's token, which `hf auth login` writes. Default: `token` in `HF_HOME`.
    HF_TOKEN_PATH = "HF_TOKEN_PATH", "", "~/.cache/huggingface/token";
    /// Directory of the Hub's own client. Default: `huggingface` in `XDG_CACHE_HOME`.
    HF_HOME = "HF_HOME", "", "~/.cache/huggingface";
    /// Directory of caches.
    XDG_CACHE_HOME = "XDG_CACHE_HOME", "~/.cache", "~/.cache";
    /// `1`: the token in the file is not sent; one of `HF_TOKEN` is.
    HF_HUB_DISABLE_IMPLICIT_TOKEN = "HF_HUB_DISABLE_IMPLICIT_TOKEN", "", "1";
    /// `1`: no requests to the Hub.
    HF_HUB_OFFLINE = "HF_HUB_OFFLINE", "", "1";
    /// URL of the AzCopy archive, such as that of a company mirror.
    AZCOPY_URL = "AZURE_AI_MODELS_AZCOPY_URL", "", "https://mirror.example.com/azcopy_linux_amd64_10.32.2.tar.gz";
    /// SHA-256 that the downloaded archive of AzCopy must have; required with `AZURE_AI_MODELS_AZCOPY_URL`.
    AZCOPY_SHA256 = "AZURE_AI_MODELS_AZCOPY_SHA256", "", "";
    /// Memory limit of AzCopy in GB. AzCopy gets its other tuning variables, `AZCOPY_*`, too.
    AZCOPY_BUFFER_GB = "AZCOPY_BUFFER_GB", "", "0.5";
    /// Proxy, for AzCopy too; also in lower case, as the next two. An address of this machine never goes through
    /// it.
    HTTPS_PROXY = "HTTPS_PROXY", "", "http://USER:PASSWORD@proxy.example.com:8080";
    /// Proxy where there is no `HTTPS_PROXY`.
    ALL_PROXY = "ALL_PROXY", "", "http://proxy.example.com:8080";
    /// Hosts that need no proxy.
    NO_PROXY = "NO_PROXY", "", "blob.core.windows.net";
    /// Certificates in PEM, for a company proxy that inspects TLS. On Linux they replace the system's own; on
    /// macOS and Windows put the certificate into the system's store, where AzCopy looks.
    SSL_CERT_FILE = "SSL_CERT_FILE", "", "/etc/ssl/company.pem";
    /// Directories of such files, separated as in `PATH`.
    SSL_CERT_DIR = "SSL_CERT_DIR", "", "/etc/ssl/certs";
    /// azd's configuration directory: unfinished uploads, AzCopy's log and its download are below it.
    AZD_CONFIG_DIR = "AZD_CONFIG_DIR", "~/.azd", "/mnt/azd";
    /// azd environment, as `--environment`; azd sets it for its own `-e`.
    AZD_ENVIRONMENT = "AZD_ENVIRONMENT", "", "dev";
    /// `true` as `--no-prompt`: no prompts.
    AZD_NO_PROMPT = "AZD_NO_PROMPT", "false", "true";
    /// `true` as `--debug`.
    AZD_DEBUG = "AZD_DEBUG", "false", "true";
    /// Directory to change to first, as `--cwd`.
    AZD_CWD = "AZD_CWD", "", "/src/my-app";
    /// A coding agent runs the program, unless it is `0`, `f`, `false`, `no` or `off`: no bar, no colors, no
    /// prompts, and one `hint:` line for an error.
    AI_AGENT = "AI_AGENT", "", "1";
    /// As `AI_AGENT`, by the name that other agents set.
    AGENT = "AGENT", "", "my-agent";
    /// Program that `show --web` opens the browser with; `%s` in it stands for the address.
    BROWSER = "BROWSER", "", "firefox";
    /// X11 display; where there is neither this nor a Wayland one, `show --web` opens nothing on Linux.
    DISPLAY = "DISPLAY", "", ":0";
    /// Wayland display.
    WAYLAND_DISPLAY = "WAYLAND_DISPLAY", "", "wayland-0";
    /// Set by services that run pipelines: `show --web` opens nothing there.
    CI = "CI", "", "true";
    /// Any value: no colors.
    NO_COLOR = "NO_COLOR", "", "1";
    /// `1`: colors without a terminal too; `NO_COLOR` wins.
    FORCE_COLOR = "FORCE_COLOR", "", "1";
    /// Width of the terminal.
    COLUMNS = "COLUMNS", "", "120";
    /// Appended to the `User-Agent` header.
    AZURE_HTTP_USER_AGENT = "AZURE_HTTP_USER_AGENT", "", "my-pipeline/1.0";
    /// Name of the azd environment whose values azd passed on; set by azd, never a choice of environment.
    AZURE_ENV_NAME = "AZURE_ENV_NAME", "", "dev";
    /// Address of azd's gRPC server; set by azd.
    AZD_SERVER = "AZD_SERVER", "", "127.0.0.1:50051";
    /// Token for that server, good for an hour; set by azd.
    AZD_ACCESS_TOKEN = "AZD_ACCESS_TOKEN", "", "";
    /// W3C trace context, passed on with each request; set by azd.
    TRACEPARENT = "TRACEPARENT", "", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// Rest of the trace context; set by azd.
    TRACESTATE = "TRACESTATE", "", "vendor=value";
    /// Set by Jupyter: no prompts in a notebook.
    JPY_PARENT_PID = "JPY_PARENT_PID", "", "";
    /// Directories in which programs are looked up: azd, AzCopy, the Azure CLI.
    PATH = "PATH", "", "";
    /// Home directory.
    HOME = "HOME", "", "";
}

/// Variables that azd sets for the one run of the program that it starts, and that mean nothing afterwards.
pub const AZD_RUN_VARIABLES: [&str; 5] = [AZD_SERVER, AZD_ACCESS_TOKEN, AZD_CWD, TRACEPARENT, TRACESTATE];

/// Variables that widen whom the program trusts with tokens and with running. A run that azd did not start ignores
/// them where a `.env` of the azd project sets them too: a shell may have loaded that file.
pub const TRUST: [&str; 6] = [ALLOW_HOST, AZCOPY_URL, AZCOPY_SHA256, ARM_ENDPOINT, CREDENTIAL, SCOPE];

/// Variables that choose the Hugging Face Hub and the token that it gets, under the same rule as [`TRUST`].
pub const HUB: [&str; 8] = [
    HF_ENDPOINT,
    HF_TOKEN,
    HUGGING_FACE_HUB_TOKEN,
    HF_TOKEN_PATH,
    HF_HOME,
    XDG_CACHE_HOME,
    HF_HUB_DISABLE_IMPLICIT_TOKEN,
    HF_HUB_OFFLINE,
];

/// Variables that an azd environment may set. They name a project, which its endpoint's rules check, or change how
/// output looks. Nothing here chooses a program, a host for tokens, a certificate, a credential or a directory.
pub const ALLOWED_FROM_AZD: [&str; 18] = [
    AZURE_TENANT_ID,
    AZURE_SUBSCRIPTION_ID,
    AZURE_RESOURCE_GROUP_NAME,
    AZURE_ACCOUNT_NAME,
    AZURE_PROJECT_NAME,
    AZURE_LOCATION,
    AZURE_PROJECT_ENDPOINT,
    AZURE_AI_PROJECT_ID,
    FOUNDRY_PROJECT_ENDPOINT,
    AZURE_ENV_NAME,
    API_VERSION,
    ENGINE,
    STALL_TIMEOUT,
    AZD_DEBUG,
    AZD_NO_PROMPT,
    NO_COLOR,
    FORCE_COLOR,
    COLUMNS,
];

/// Multiplies every pause and limit; only in builds for tests.
#[cfg(feature = "test-fakes")]
pub const TEST_TIME: &str = "AZURE_AI_MODELS_TEST_TIME";
/// File whose appearance makes the program panic; only in builds for tests.
#[cfg(feature = "test-fakes")]
pub const TEST_PANIC: &str = "AZURE_AI_MODELS_TEST_PANIC";

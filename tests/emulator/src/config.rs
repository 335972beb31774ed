//! Configuration of the emulator: every behaviour that a test can choose, with the defaults of a healthy project.
//! Faults for a number of requests are in `fault`.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

use crate::arm_config::Arm;
use crate::fault::Fault;

/// Behaviour of the emulator. Start from `Config::default()` and set the fields that matter.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on. Only loopback addresses are accepted; port 0 selects a free port. Read only at start.
    pub listen: SocketAddr,
    /// Name of the only project.
    pub project: String,
    /// Account name in model ids.
    pub account: String,
    /// Accepted bearer tokens.
    pub auth: Auth,
    /// Tenant in the challenge of a 401.
    pub tenant: Option<String>,
    /// Blob store with the containers. Read at each request.
    pub blobs: BlobStore,
    /// Lifetime of a SAS in seconds. Negative: it is expired when it is issued.
    pub sas_seconds: i64,
    /// As `sas_seconds`, for the first SAS URLs of each upload, before `sas_seconds` applies: `[-60]` makes the first
    /// one expired and the second one valid.
    pub first_sas_seconds: Vec<i64>,
    /// Permission letters of the upload SAS, in the order that Azure requires (`racwdl`).
    pub sas_permissions: String,
    /// Shape of the startPendingUpload response.
    pub pending_upload_shape: PendingUploadShape,
    /// Each startPendingUpload returns a new container instead of the current one.
    pub new_container_each_time: bool,
    /// Only the container that was issued last may be registered.
    pub refuses_older_containers: bool,
    /// Registration checks the container (with [`BlobStore::Azurite`]) and fails with `UploadIncomplete` if it is
    /// empty.
    pub checks_blobs: bool,
    /// FullWeight and LoRA are rejected without a base model (`BaseModelRequired`).
    pub requires_base_model: bool,
    /// The service has the createAsync route.
    pub has_create_async: bool,
    /// Response of a service without createAsync.
    pub missing_route: MissingRoute,
    /// Status of PUT for a new version: 200, 201 or 202 (then with an operation); `None`: 405.
    pub put_status: Option<u16>,
    /// Merged into each model that a registration creates, as if another registration had been faster.
    pub registers_as: Option<Value>,
    /// Form in which createAsync returns the URL to poll.
    pub location: LocationForm,
    /// Appended to the query of an operation's URL, for example a signature.
    pub operation_query: Option<String>,
    /// States of a running operation, one per poll; the last repeats.
    pub running_states: Vec<String>,
    /// Number of polls (or GETs of the version) that see an operation running before it ends.
    pub polls_until_done: u32,
    /// `Retry-After` in seconds in 202 responses of createAsync and of polls.
    pub poll_retry_after: Option<u64>,
    /// Body of the last poll.
    pub operation_end: OperationEnd,
    /// Number of GETs of a version that still return 404 after its operation succeeded.
    pub hidden_gets: u32,
    /// A version can be read (`provisioningState` `Creating`) while its operation runs; otherwise a GET returns 404.
    pub visible_while_creating: bool,
    /// Status of DELETE: 200, 204, or 202 (then the version disappears after `polls_until_done` polls).
    pub delete_status: u16,
    /// Body of the last poll of a deletion.
    pub deletion_end: OperationEnd,
    /// Names of models whose deletion is rejected with 409 `ModelInUse`.
    pub models_in_use: Vec<String>,
    /// The list filters by `source.jobId`; otherwise it accepts the parameter and lists everything.
    pub filters_by_job: bool,
    /// Items per page of both lists.
    pub page_size: usize,
    /// Target of `nextLink`.
    pub next_link: NextLinkForm,
    /// Time in `createdAt` and `lastModifiedAt`, for snapshots. The expiry of a SAS is always relative to the real
    /// time.
    pub clock: Option<OffsetDateTime>,
    /// Azure Resource Manager around the project.
    pub arm: Arm,
    /// Models that exist at start, see [`crate::Emulator::seed`].
    pub models: Vec<Value>,
    /// Faults that are armed from the start.
    pub faults: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            project: "demo".to_owned(),
            account: "emulator".to_owned(),
            auth: Auth::Any,
            tenant: None,
            blobs: BlobStore::default(),
            sas_seconds: 60 * 60,
            first_sas_seconds: Vec::new(),
            sas_permissions: "rcwl".to_owned(),
            pending_upload_shape: PendingUploadShape::Datastore,
            new_container_each_time: false,
            refuses_older_containers: false,
            checks_blobs: true,
            requires_base_model: false,
            has_create_async: true,
            missing_route: MissingRoute::NotFound,
            put_status: Some(201),
            registers_as: None,
            location: LocationForm::Absolute,
            operation_query: None,
            running_states: vec!["NotStarted".to_owned(), "InProgress".to_owned()],
            polls_until_done: 2,
            poll_retry_after: None,
            operation_end: OperationEnd::Succeeded,
            hidden_gets: 0,
            visible_while_creating: false,
            delete_status: 200,
            deletion_end: OperationEnd::Succeeded,
            models_in_use: Vec::new(),
            filters_by_job: true,
            page_size: 50,
            next_link: NextLinkForm::Absolute,
            clock: None,
            arm: Arm::default(),
            models: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// Accepted bearer tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Any token that is not blank.
    Any,
    /// Only this token.
    Token(String),
    /// No token: each request returns 401.
    RejectAll,
}

/// Blob store for the content of models. The emulator issues SAS URLs, and never stores content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobStore {
    /// No store: no container is created; the SAS is well-formed, but no account accepts it.
    None {
        /// Prefix of `/CONTAINER` in the URLs.
        base: Url,
        /// Appended to the SAS, for example a canary that must never appear in any output.
        extra_sas_query: Option<String>,
    },
    /// A real Azurite with its well-known account.
    Azurite {
        /// Blob endpoint without the account: `http://127.0.0.1:10000`.
        endpoint: Url,
    },
}

impl Default for BlobStore {
    fn default() -> Self {
        let base = Url::parse("http://127.0.0.1:9/devstoreaccount1").expect("the constant is a URL");
        Self::None { base, extra_sas_query: None }
    }
}

/// Wire shapes of a startPendingUpload response (all three were observed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingUploadShape {
    /// `blobReferenceForConsumption`, the older one.
    Datastore,
    /// `blobReference` with `credential`, that of the specification.
    Sdk,
    /// `blobReference { sasUri, containerPath, expiresOn }`, from a draft.
    Flat,
}

/// Response of a service to an unknown route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRoute {
    /// 404 with a code that does not refer to a model.
    NotFound,
    /// 405.
    MethodNotAllowed,
}

/// Form in which createAsync returns the URL to poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationForm {
    /// `http://HOST/...` in header and body.
    Absolute,
    /// `/api/projects/...` in header and body.
    Relative,
    /// On another host, which must not receive a token.
    Foreign(Url),
    /// In the body only.
    BodyOnly,
    /// Not returned.
    None,
}

/// Result of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationEnd {
    /// 200 `{"status":"Succeeded"}`.
    Succeeded,
    /// 200 with the model itself.
    Model,
    /// 200 with this status and error; no model is created.
    Failed {
        /// `Failed`, `Canceled`...
        status: String,
        /// The error's code.
        code: String,
        /// The error's message.
        message: String,
    },
}

/// Form of `nextLink`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextLinkForm {
    /// To the next page.
    Absolute,
    /// To the page itself: a loop.
    Loop,
    /// To another host.
    Foreign(Url),
    /// To the next page, with a user name and a password.
    UserInformation,
    /// To a new, empty page, endlessly.
    Endless,
}

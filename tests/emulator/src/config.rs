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
    /// Address to listen on. Only loopback addresses are accepted; port 0 takes a free one. Read only at start.
    pub listen: SocketAddr,
    /// The one project that exists.
    pub project: String,
    /// Account name in model ids.
    pub account: String,
    /// Which bearer tokens are let in.
    pub auth: Auth,
    /// The tenant that the challenge of a 401 names.
    pub tenant: Option<String>,
    /// Blob store with the containers. Read at each request.
    pub blobs: BlobStore,
    /// Seconds from now until a SAS ends. Negative: it is expired when it is handed out.
    pub sas_seconds: i64,
    /// As `sas_seconds`, for the first SAS URLs of each upload, before `sas_seconds` applies: `[-60]` makes the first
    /// one expired and the second one valid.
    pub first_sas_seconds: Vec<i64>,
    /// Letters of the upload SAS, in the order that Azure requires (`racwdl`).
    pub sas_permissions: String,
    /// How startPendingUpload answers.
    pub pending_upload_shape: PendingUploadShape,
    /// Each startPendingUpload gives another container, instead of the one that is open already.
    pub new_container_each_time: bool,
    /// Only the container that was handed out last may be registered.
    pub refuses_older_containers: bool,
    /// Registration looks into the container (with [`BlobStore::Azurite`]) and fails with `UploadIncomplete` if it is empty.
    pub checks_blobs: bool,
    /// FullWeight and LoRA are refused without a base model (`BaseModelRequired`).
    pub requires_base_model: bool,
    /// The service has the createAsync route.
    pub has_create_async: bool,
    /// Answer of a service without createAsync.
    pub missing_route: MissingRoute,
    /// Status of PUT for a new version: 200, 201 or 202 (then with an operation); `None`: 405.
    pub put_status: Option<u16>,
    /// Merged into each model that a registration creates, as if another registration had been faster.
    pub registers_as: Option<Value>,
    /// How createAsync says where to poll.
    pub location: LocationForm,
    /// Appended to the query of an operation's address, for example a signature.
    pub operation_query: Option<String>,
    /// The states of a running operation, one a poll; the last repeats.
    pub running_states: Vec<String>,
    /// How many polls (or GETs of the version) see a running operation before it ends.
    pub polls_until_done: u32,
    /// `Retry-After` in seconds on 202 answers of createAsync and of polls.
    pub poll_retry_after: Option<u64>,
    /// The last poll's body.
    pub operation_end: OperationEnd,
    /// GETs of a version that still answer 404 after its operation succeeded.
    pub hidden_gets: u32,
    /// A version can be read (`provisioningState` `Creating`) while its operation runs; otherwise it is 404.
    pub visible_while_creating: bool,
    /// Status of DELETE: 200, 204, or 202 (then the version disappears after `polls_until_done` polls).
    pub delete_status: u16,
    /// The last poll's body of a deletion.
    pub deletion_end: OperationEnd,
    /// Names of models whose deletion is refused with 409 `ModelInUse`.
    pub models_in_use: Vec<String>,
    /// The list knows `source.jobId`; otherwise it takes the parameter and lists everything.
    pub filters_by_job: bool,
    /// Items a page of both lists.
    pub page_size: usize,
    /// Target of `nextLink`.
    pub next_link: NextLinkForm,
    /// The time in `createdAt` and `lastModifiedAt`, for snapshots. A SAS always counts from the real time.
    pub clock: Option<OffsetDateTime>,
    /// Azure Resource Manager around the project.
    pub arm: Arm,
    /// Models that are there from the start, see [`crate::Emulator::seed`].
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

/// Which bearer tokens are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Any that is not blank.
    Any,
    /// This one alone.
    Token(String),
    /// None: each request is 401.
    RejectAll,
}

/// Blob store for the content of models. The emulator issues SAS URLs, and never holds content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobStore {
    /// No store: no container is made, the SAS has the right form and no account that honours it.
    None {
        /// Prefix of `/CONTAINER` in the URLs.
        base: Url,
        /// Appended to the SAS, for example a canary that must never show up in any output.
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

/// The wire shapes of a startPendingUpload answer (all three were seen).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingUploadShape {
    /// `blobReferenceForConsumption`, the older one.
    Datastore,
    /// `blobReference` with `credential`, that of the specification.
    Sdk,
    /// `blobReference { sasUri, containerPath, expiresOn }`, from a draft.
    Flat,
}

/// How a service says that it does not know a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRoute {
    /// 404 with a code that is not a model's.
    NotFound,
    /// 405.
    MethodNotAllowed,
}

/// How createAsync says where to poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationForm {
    /// `http://HOST/...` in header and body.
    Absolute,
    /// `/api/projects/...` in header and body.
    Relative,
    /// On another host, where no token may go.
    Foreign(Url),
    /// In the body only.
    BodyOnly,
    /// Nowhere.
    None,
}

/// How an operation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationEnd {
    /// 200 `{"status":"Succeeded"}`.
    Succeeded,
    /// 200 with the model itself.
    Model,
    /// 200 with this status and error; no model comes to be.
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
    /// To a page that was not there before, and is empty, for ever.
    Endless,
}

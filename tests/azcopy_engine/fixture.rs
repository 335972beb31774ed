//! Directory for runs of the fake AzCopy, and queries about their outcome.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use azure_ai_models_core::azcopy::{
    AzCopy, AzCopyCandidate, AzCopyFailure, AzCopyOrigin, CompletedJob, CopyJob, JobSource, RunControls, RunError,
    VerifyError, run,
};
use azure_ai_models_core::cancel::{self, Cancellation, Canceller};
use azure_ai_models_core::env::{Env, Timings};
use azure_ai_models_core::model::{Report, Reporter, TransferEvent};
use azure_ai_models_core::redact::SecretUrl;
use url::Url;

pub(super) const FAKE: &str = env!("CARGO_BIN_EXE_fake-azcopy");

/// Private directory, two files to send (11 bytes), a script for the fake AzCopy, and the recorded events and reports.
pub(super) struct EngineFixture {
    directory: tempfile::TempDir,
    vars: Vec<(String, String)>,
    pub(super) timings: Timings,
    pub(super) stall_limit: Duration,
    pub(super) events: Vec<TransferEvent>,
    reports: Arc<Mutex<Vec<Report>>>,
    canceller: Canceller,
    cancel: Cancellation,
}

impl EngineFixture {
    pub(super) fn new(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["private", "model/sub"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        std::fs::write(at("model/a b.bin"), "12345").unwrap();
        std::fs::write(at("model/sub/c.bin"), "123456").unwrap();
        std::fs::write(at("private/list"), "a b.bin\nsub/c.bin\n").unwrap();
        std::fs::write(at("script"), script.replace("$DIR", &at("").display().to_string())).unwrap();
        let mut vars = vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
            ("FAKE_AZCOPY_RECORD".to_owned(), at("record").display().to_string()),
        ];
        if !script.is_empty() {
            vars.push(("FAKE_AZCOPY_SCRIPT".to_owned(), at("script").display().to_string()));
        }
        let mut timings = Timings::from_env(&Env::from_vars([("AZURE_AI_MODELS_TEST_TIME", "0.02")], Path::new("/")));
        // Real processes on a busy machine need real time.
        timings.cancel_grace = Duration::from_secs(5);
        let (canceller, cancel) = cancel::channel();
        Self {
            directory,
            vars,
            timings,
            stall_limit: Duration::from_secs(20),
            events: vec![],
            reports: Arc::default(),
            canceller,
            cancel,
        }
    }

    pub(super) fn with_var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn reporter(&self) -> Reporter {
        let reports = Arc::clone(&self.reports);
        Arc::new(move |report| reports.lock().unwrap().push(report))
    }

    pub(super) fn env(&self) -> Env {
        Env::from_vars(self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str())), self.directory.path())
    }

    pub(super) async fn verify(&self, program: &Path) -> Result<AzCopy, VerifyError> {
        let candidate = AzCopyCandidate { path: program.to_owned(), origin: AzCopyOrigin::Option };
        AzCopy::verify(candidate, &self.env(), &self.timings, &self.reporter()).await
    }

    pub(super) fn job(&self) -> CopyJob {
        let url = |text: &str| SecretUrl::new(Url::parse(text).unwrap());
        CopyJob {
            source: JobSource::Files {
                directory: self.at("model"),
                list_file: self.at("private/list"),
                files: 2,
                bytes: 11,
            },
            destination: url("https://a.blob.core.windows.net/c?sp=cw&sig=CANARY"),
            directory: self.at("private"),
            cap: None,
        }
    }

    pub(super) async fn run(&mut self) -> Result<CompletedJob, RunError> {
        let azcopy = self.verify(Path::new(FAKE)).await.unwrap();
        let job = self.job();
        let (timings, cancel, report) = (self.timings.clone(), self.cancel.clone(), self.reporter());
        let controls =
            RunControls { timings: &timings, stall_limit: self.stall_limit, cancel: &cancel, report: &report };
        let events = &mut self.events;
        run(&azcopy, &job, &controls, &mut |event| events.push(event)).await
    }

    pub(super) async fn failure(&mut self) -> AzCopyFailure {
        match self.run().await {
            Err(RunError::Failed { failure, .. }) => *failure,
            other => panic!("{other:?}"),
        }
    }

    /// Requests cancellation this many times, once the fake has written its process ID to the file `up`.
    pub(super) async fn run_and_cancel(&mut self, times: usize) -> Result<CompletedJob, RunError> {
        let (canceller, cancel) = cancel::channel();
        let canceller = std::mem::replace(&mut self.canceller, canceller);
        let up = self.at("up");
        let cancelling = async move {
            wait_for(|| up.exists()).await;
            for _ in 0..times {
                canceller.request();
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            std::future::pending::<()>().await;
        };
        let result = tokio::select! {
            result = self.run() => result,
            () = cancelling => unreachable!(),
        };
        self.cancel = cancel;
        result
    }

    pub(super) fn debug(&self) -> String {
        self.reports.lock().unwrap().iter().map(|report| format!("{report:?}\n")).collect()
    }

    pub(super) fn record(&self) -> serde_json::Value {
        serde_json::from_str(std::fs::read_to_string(self.at("record")).unwrap().lines().next().unwrap()).unwrap()
    }

    pub(super) fn pid(&self, name: &str) -> u32 {
        std::fs::read_to_string(self.at(name)).unwrap().parse().unwrap()
    }
}

pub(super) async fn wait_for(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "timed out");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// True while the process runs. A zombie counts as ended; only Linux reports it.
pub(super) fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

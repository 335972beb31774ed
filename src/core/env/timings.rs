//! Every limit and delay of the program, in one place.

use std::time::Duration;

use super::Env;
#[cfg(feature = "test-fakes")]
use super::var;

/// Every limit and delay of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Timings {
    /// Limit for opening a connection.
    pub connect: Duration,
    /// Limit for one request, including the response.
    pub request: Duration,
    /// First pause between attempts; doubles.
    pub retry_first: Duration,
    /// Maximum pause between attempts, without a `Retry-After`.
    pub retry_cap: Duration,
    /// Maximum `Retry-After` that is respected.
    pub retry_after_cap: Duration,
    /// Limit for a token from `azd` and the other sources.
    pub token: Duration,
    /// Time before its expiry at which a token is fetched again.
    pub token_margin: Duration,
    /// Limit for one response of azd's gRPC server, except for prompts.
    pub host_call: Duration,
    /// Limit for azd to accept an error; after it this program prints the error itself.
    pub host_report: Duration,
    /// Limit for an `azd` that reads an environment.
    pub azd_command: Duration,
    /// Limit for the probe of the SAS URL before an upload.
    pub probe: Duration,
    /// First pause between polls of an operation; it doubles.
    pub poll_first: Duration,
    /// Maximum pause between polls.
    pub poll_cap: Duration,
    /// Limit for a registration.
    pub register: Duration,
    /// Time after which a missing model counts as not found during a wait.
    pub absent: Duration,
    /// Limit for the creation, change or deletion of a deployment.
    pub deploy: Duration,
    /// First pause between polls of a deployment; doubles.
    pub deploy_first: Duration,
    /// Maximum pause between polls of a deployment.
    pub deploy_cap: Duration,
    /// Maximum time for which an accepted deployment may be invisible.
    pub invisible: Duration,
    /// First pause before a write to a busy account; doubles.
    pub busy_first: Duration,
    /// Maximum pause before a write to a busy account.
    pub busy_cap: Duration,
    /// Maximum time for which an account may be busy.
    pub busy: Duration,
    /// Time after which a wait for a service or another program is reported.
    pub wait_notice: Duration,
    /// Limit for `azcopy --version`: on a loaded machine the first start takes time.
    pub azcopy_version: Duration,
    /// Limit for `azcopy jobs show`.
    pub azcopy_jobs: Duration,
    /// Time without progress after which a download fails.
    pub download_stall: Duration,
    /// Time without progress after which a response of the Hugging Face Hub is requested again.
    pub hub_stall: Duration,
    /// Maximum rate limit of the Hub that is waited for.
    pub hub_rate_limit: Duration,
    /// Time without progress after which a stalled upload is reported.
    pub stall_notice: Duration,
    /// Time without progress after which an upload is ended.
    pub stall_limit: Duration,
    /// Time between SIGINT and SIGKILL when AzCopy is ended.
    pub cancel_grace: Duration,
    /// Time between the second request to end and the forced end of a command.
    pub interrupt_grace: Duration,
    /// Interval between status lines during an upload.
    pub status_line: Duration,
    scale: f64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(60),
            retry_first: Duration::from_millis(500),
            retry_cap: Duration::from_secs(20),
            retry_after_cap: Duration::from_secs(120),
            token: Duration::from_secs(30),
            token_margin: Duration::from_secs(300),
            host_call: Duration::from_secs(10),
            host_report: Duration::from_secs(5),
            azd_command: Duration::from_secs(30),
            probe: Duration::from_secs(5),
            poll_first: Duration::from_millis(250),
            poll_cap: Duration::from_secs(15),
            register: Duration::from_secs(30 * 60),
            absent: Duration::from_secs(30),
            deploy: Duration::from_secs(45 * 60),
            deploy_first: Duration::from_secs(2),
            deploy_cap: Duration::from_secs(10),
            invisible: Duration::from_secs(5 * 60),
            busy_first: Duration::from_secs(5),
            busy_cap: Duration::from_secs(30),
            busy: Duration::from_secs(5 * 60),
            wait_notice: Duration::from_secs(5),
            azcopy_version: Duration::from_secs(60),
            azcopy_jobs: Duration::from_secs(60),
            download_stall: Duration::from_secs(60),
            hub_stall: Duration::from_secs(10),
            hub_rate_limit: Duration::from_secs(300),
            stall_notice: Duration::from_secs(15),
            stall_limit: Duration::from_secs(10 * 60),
            cancel_grace: Duration::from_secs(5),
            interrupt_grace: Duration::from_secs(1),
            status_line: Duration::from_secs(30),
            scale: 1.0,
        }
    }
}

impl Timings {
    /// Limits of a normal run; test builds scale them by `AZURE_AI_MODELS_TEST_TIME`: a number, or one for pauses and
    /// one for limits, as in `0.01/1`. Short pauses make a test fast; a short limit makes it fail on a busy machine,
    /// unless the limit is the subject of the test.
    #[must_use]
    pub fn from_env(env: &Env) -> Self {
        #[cfg(feature = "test-fakes")]
        if let Some(text) = env.get(var::TEST_TIME) {
            let (pauses, limits) = text.split_once('/').unwrap_or((text, text));
            if let (Ok(pauses), Ok(limits)) = (pauses.parse(), limits.parse()) {
                return Self::default().scaled_by(pauses, limits);
            }
        }
        let _: &Env = env;
        Self::default()
    }

    /// Scales an external duration, such as `Retry-After`, to this run's clock.
    #[must_use]
    pub fn scaled(&self, duration: Duration) -> Duration {
        // A value that means "forever" would overflow when scaled.
        Duration::try_from_secs_f64(duration.as_secs_f64() * self.scale).unwrap_or(Duration::MAX)
    }

    #[cfg(feature = "test-fakes")]
    fn scaled_by(&self, pauses: f64, limits: f64) -> Self {
        let by = |duration: Duration| duration.mul_f64(limits);
        let pause = |duration: Duration| duration.mul_f64(pauses);
        Self {
            // A busy machine may respond slowly, so these have a minimum.
            connect: by(self.connect).max(Duration::from_secs(1)),
            request: by(self.request).max(Duration::from_secs(1)),
            retry_first: pause(self.retry_first),
            retry_cap: pause(self.retry_cap),
            retry_after_cap: pause(self.retry_after_cap),
            token: by(self.token),
            token_margin: by(self.token_margin),
            host_call: by(self.host_call).max(Duration::from_secs(2)),
            host_report: by(self.host_report).max(Duration::from_secs(2)),
            azd_command: by(self.azd_command).max(Duration::from_secs(2)),
            probe: by(self.probe).max(Duration::from_secs(2)),
            poll_first: pause(self.poll_first),
            poll_cap: pause(self.poll_cap),
            register: by(self.register),
            absent: by(self.absent),
            deploy: by(self.deploy),
            deploy_first: pause(self.deploy_first),
            deploy_cap: pause(self.deploy_cap),
            invisible: by(self.invisible),
            busy_first: pause(self.busy_first),
            busy_cap: pause(self.busy_cap),
            busy: by(self.busy),
            wait_notice: by(self.wait_notice).max(Duration::from_secs(1)),
            azcopy_version: by(self.azcopy_version).max(Duration::from_secs(10)),
            azcopy_jobs: by(self.azcopy_jobs).max(Duration::from_secs(3)),
            download_stall: by(self.download_stall),
            hub_stall: by(self.hub_stall).max(Duration::from_secs(1)),
            // Compared with the value of the Hub, which is not scaled.
            hub_rate_limit: self.hub_rate_limit,
            stall_notice: by(self.stall_notice),
            stall_limit: by(self.stall_limit),
            cancel_grace: by(self.cancel_grace),
            interrupt_grace: by(self.interrupt_grace).max(Duration::from_secs(1)),
            status_line: by(self.status_line),
            scale: pauses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Full values, checked only here: every other test runs on scaled ones.
    #[test]
    fn the_limits_are_the_documented_ones() {
        let timings = Timings::default();
        let seconds: Vec<f64> = [
            timings.connect,
            timings.request,
            timings.retry_first,
            timings.retry_cap,
            timings.retry_after_cap,
            timings.token,
            timings.token_margin,
            timings.host_call,
            timings.host_report,
            timings.azd_command,
            timings.probe,
            timings.poll_first,
            timings.poll_cap,
            timings.register,
            timings.absent,
            timings.deploy,
            timings.deploy_first,
            timings.deploy_cap,
            timings.invisible,
            timings.busy_first,
            timings.busy_cap,
            timings.busy,
            timings.wait_notice,
            timings.azcopy_version,
            timings.azcopy_jobs,
            timings.download_stall,
            timings.hub_stall,
            timings.hub_rate_limit,
            timings.stall_notice,
            timings.stall_limit,
            timings.cancel_grace,
            timings.interrupt_grace,
            timings.status_line,
        ]
        .iter()
        .map(Duration::as_secs_f64)
        .collect();
        assert_eq!(
            seconds,
            [
                10.0, 60.0, 0.5, 20.0, 120.0, 30.0, 300.0, 10.0, 5.0, 30.0, 5.0, 0.25, 15.0, 1800.0, 30.0, 2700.0, 2.0,
                10.0, 300.0, 5.0, 30.0, 300.0, 5.0, 60.0, 60.0, 60.0, 10.0, 300.0, 15.0, 600.0, 5.0, 1.0, 30.0
            ]
        );
    }
}

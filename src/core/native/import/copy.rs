//! Files that the store copies directly from the signed URLs of the Hub's delivery network. No byte of them passes this
//! machine, and only their size is verified.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Arrival, ImportContext, SharedRemoteFile, mismatch};
use crate::http::{Backoff, HttpError, Retry};
use crate::hub::{Carrier, CopyFault, CopyMode, HubSum, VerifyMode};
use crate::model::{SourceFile, TransferEvent};
use crate::native::error::NativeError;
use crate::native::file::{closed, while_in_flight};
use crate::store::{BlockId, BlockLayout, CopyRefusal, CopySource, StoreError, content_type};

/// Maximum duration of the first block: otherwise the files are streamed.
const PROBE: Duration = Duration::from_secs(5);
/// Maximum duration of other blocks: the store responds only when it has all of a block.
const COPY: Duration = Duration::from_secs(300);
/// Attempts per block while the source or the store is busy.
const ATTEMPTS: u32 = 4;

/// Reason why a block was not copied: a failure that ends the upload, or one after which the file is streamed.
enum CopyFailure {
    Failed(NativeError),
    Reason(String),
}

impl From<NativeError> for CopyFailure {
    fn from(error: NativeError) -> Self {
        Self::Failed(error)
    }
}

impl ImportContext<'_> {
    /// Carrier of the large files. Determined once, by the first block of the first of them.
    pub(super) async fn carrier(&self, remote: &SharedRemoteFile, shape: &SourceFile) -> Result<Carrier, NativeError> {
        self.carrier.get_or_try_init(|| self.find_carrier(remote, shape)).await.copied()
    }

    async fn find_carrier(&self, remote: &SharedRemoteFile, shape: &SourceFile) -> Result<Carrier, NativeError> {
        let mode = self.transfer.copy;
        let decided = |carrier, reason| {
            self.emit(TransferEvent::ImportMode { carrier, reason });
            carrier
        };
        if mode == CopyMode::Client {
            return Ok(decided(Carrier::Client, "--copy client".to_owned()));
        }
        let signed = remote.signed_url().await.map_err(NativeError::of_hub)?;
        let fault = signed.as_ref().map_or(Some(CopyFault::NotSigned), |signed| signed.copy_fault());
        let probed = match fault {
            Some(fault) => Err(fault.to_string()),
            None => self.probe(remote, shape).await?,
        };
        match probed {
            Ok(()) => {
                let host = signed.as_ref().map(|signed| signed.host()).unwrap_or_default();
                Ok(decided(Carrier::Server, format!("it can read from {host}")))
            }
            Err(reason) if mode == CopyMode::Server => Err(NativeError::NotCopied { path: shape.path.clone(), reason }),
            Err(reason) => Ok(decided(Carrier::Client, reason)),
        }
    }

    /// Copies the first block. The inner error is the reason why copying does not pay off.
    async fn probe(&self, remote: &SharedRemoteFile, shape: &SourceFile) -> Result<Result<(), String>, NativeError> {
        if self.transfer.verify == VerifyMode::Full && !self.files.store.may_read().await {
            return Err(NativeError::WriteOnly);
        }
        let layout = self.copied_layout(shape);
        let limit = if self.transfer.copy == CopyMode::Server { COPY } else { PROBE };
        let (id, range) = (layout.id(0), layout.range(0));
        if self.files.record.contains(&id) {
            return Ok(Ok(()));
        }
        match tokio::time::timeout(limit, self.copied_block(remote, shape, (&id, range))).await {
            Ok(Ok(())) => {
                // Set once, like the carrier.
                self.probed.set(id).ok();
                Ok(Ok(()))
            }
            Ok(Err(CopyFailure::Reason(reason))) => Ok(Err(reason)),
            Ok(Err(CopyFailure::Failed(error))) => Err(error),
            Err(_) => Ok(Err(format!("copying its first block took more than {} s", limit.as_secs()))),
        }
    }

    fn copied_layout(&self, shape: &SourceFile) -> BlockLayout {
        let generation = self.sums.get(&self.files.record.layout(shape).whole()).generation;
        self.files.record.copied_layout(shape).generation(generation)
    }

    /// Lets the store copy a file. The inner error is the reason why it is streamed instead.
    pub(super) async fn copied(
        &self,
        remote: &SharedRemoteFile,
        shape: &SourceFile,
    ) -> Result<Result<Arrival, String>, NativeError> {
        let path = &shape.path;
        let layout = self.copied_layout(shape);
        let ids: Vec<BlockId> = (0..layout.count()).map(|index| layout.id(index)).collect();
        let (uploaded, committed) = self.listed(path, &ids).await?;
        let version = match committed {
            Some(version) => version,
            None => {
                let mut in_flight = FuturesUnordered::new();
                let copying = async {
                    for (index, id) in (0..).zip(&ids) {
                        let range = layout.range(index);
                        if uploaded.contains(id) {
                            // The first block is already counted as copied.
                            if self.probed.get() != Some(id) {
                                self.files.tally.add_found(range.1);
                            }
                            continue;
                        }
                        let waiting = async { self.copies.acquire().await.map_err(|error| closed(error).into()) };
                        let turn = while_in_flight(&mut in_flight, waiting).await?;
                        in_flight.push(async move {
                            let _turn = turn;
                            self.copied_block(remote, shape, (id, range)).await
                        });
                    }
                    while let Some(copied) = in_flight.next().await {
                        copied?;
                    }
                    Ok(())
                };
                match copying.await {
                    Ok(()) => {}
                    Err(CopyFailure::Failed(error)) => return Err(error),
                    Err(CopyFailure::Reason(reason)) => {
                        // They are now streamed, and count as sent.
                        let is_new = |id: &BlockId| {
                            let is_probed = self.probed.get() == Some(id);
                            self.files.record.contains(id) && (is_probed || !uploaded.contains(id))
                        };
                        let copied = (0..).zip(&ids).filter(|(_, id)| is_new(id));
                        self.files.tally.sub_copied(copied.map(|(index, _)| layout.range(index).1).sum());
                        return Ok(Err(reason));
                    }
                }
                let sha256 = remote.file().sum.sha256();
                let committed = self.files.store.put_block_list(path, &ids, content_type(path), sha256).await;
                match committed.map_err(|error| NativeError::of_store(path, error))? {
                    Some(version) => version,
                    None => return Ok(Err("the blob store lost blocks that it had copied".to_owned())),
                }
            }
        };
        if self.transfer.verify != VerifyMode::Full {
            self.count_unverified(remote);
            return Ok(Ok((None, version)));
        }
        match self.read_back(remote, shape).await? {
            Ok(HubSum::Sha256(hash)) => Ok(Ok((Some(hash), version))),
            Ok(HubSum::GitSha1(_)) => Ok(Ok((None, version))),
            Err(sums) => {
                // The next run copies it under other ids, so that this content is not mistaken for the file again.
                self.sums.discard(&self.files.record.layout(shape).whole()).map_err(NativeError::Record)?;
                Err(mismatch(remote.file(), sums))
            }
        }
    }

    /// Lets the store copy one block: with a new signed URL after a rejection, and again if it is busy.
    async fn copied_block(
        &self,
        remote: &SharedRemoteFile,
        shape: &SourceFile,
        (id, range): (&BlockId, (u64, u64)),
    ) -> Result<(), CopyFailure> {
        let path = &shape.path;
        let hub = |error| CopyFailure::Failed(NativeError::of_hub(error));
        let timings = self.files.controls.timings;
        let mut backoff = Backoff::new(timings, Retry::Idempotent).attempts(ATTEMPTS);
        let (mut is_renewed, mut failed) = (false, 0);
        let mut signed = remote.signed_url().await.map_err(hub)?;
        loop {
            let fault = signed.as_ref().map_or(Some(CopyFault::NotSigned), |signed| signed.copy_fault());
            let (None, Some(url)) = (&fault, &signed) else {
                return Err(CopyFailure::Reason(fault.unwrap_or(CopyFault::NotSigned).to_string()));
            };
            let source = CopySource { url: url.raw(), range };
            let refusal = match self.files.store.put_block_from_url((path, id), &source, COPY).await {
                Ok(()) => {
                    self.files.record.block(id).map_err(NativeError::Record)?;
                    self.files.tally.add_copied(range.1);
                    return Ok(());
                }
                Err(refusal) => refusal,
            };
            let reason = refusal.to_string();
            let pause = match refusal {
                CopyRefusal::Source { status: Some(401 | 403 | 404 | 410) } if !is_renewed => {
                    is_renewed = true;
                    signed = remote.renew(url).await.map_err(hub)?;
                    continue;
                }
                CopyRefusal::Source { status: Some(408 | 429 | 500..=599) } => {
                    failed += 1;
                    (failed < ATTEMPTS).then(|| timings.scaled(Duration::from_secs(1 << failed)))
                }
                CopyRefusal::Source { .. } => None,
                CopyRefusal::Store(StoreError::Http(error)) => match &error {
                    HttpError::Service(_) | HttpError::Network { .. } => backoff.after(&error),
                    _ => None,
                },
                CopyRefusal::Store(error) => return Err(NativeError::of_store(path, error).into()),
            };
            let Some(pause) = pause else { return Err(CopyFailure::Reason(reason)) };
            tokio::time::sleep(pause).await;
            signed = remote.signed_url().await.map_err(hub)?;
        }
    }
}

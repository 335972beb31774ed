//! Views of long-running work. Each shows its events as a bar, as lines or as JSON, depending on `--progress`;
//! `status_line` is the interval of status lines.

use std::time::Duration;

use super::{ByteProgressView, Console, StatusView, TransferView};

impl Console {
    /// View of an upload.
    #[must_use]
    pub(crate) fn transfer_view(&self, status_line: Duration) -> TransferView<'_> {
        TransferView::new(self, status_line)
    }

    /// View of the download of a model.
    #[must_use]
    pub(crate) fn download_transfer_view(&self, status_line: Duration) -> TransferView<'_> {
        TransferView::of_download(self, status_line)
    }

    /// View of the download of AzCopy.
    #[must_use]
    pub(crate) fn azcopy_download_view(&self, status_line: Duration) -> ByteProgressView<'_> {
        ByteProgressView::of_azcopy(self, status_line)
    }

    /// View of the computation of checksums.
    #[must_use]
    pub(crate) fn hash_view(&self, status_line: Duration) -> ByteProgressView<'_> {
        ByteProgressView::of_sums(self, status_line)
    }

    /// View of files that are read back.
    #[must_use]
    pub(crate) fn read_back_view(&self, status_line: Duration) -> ByteProgressView<'_> {
        ByteProgressView::of_read_back(self, status_line)
    }

    /// View of a registration.
    #[must_use]
    pub(crate) fn register_view(&self, status_line: Duration) -> StatusView<'_> {
        StatusView::of_registration(self, status_line)
    }

    /// View of a deployment.
    #[must_use]
    pub(crate) fn deploy_view(&self, name: &str, status_line: Duration) -> StatusView<'_> {
        StatusView::of_deployment(self, name, status_line)
    }
}

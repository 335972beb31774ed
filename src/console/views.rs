//! Views of work that takes long. Each shows its events as a bar, as lines or as JSON, by `--progress`; a status line
//! comes after this time without another one.

use std::time::Duration;

use super::{ByteProgressView, Console, StatusView, TransferView};

impl Console {
    /// The progress of an upload, with a status line this often.
    #[must_use]
    pub(crate) fn transfer_view(&self, status_line: Duration) -> TransferView<'_> {
        TransferView::new(self, status_line)
    }

    /// The progress of a download of a model, with a status line this often.
    #[must_use]
    pub(crate) fn download_transfer_view(&self, status_line: Duration) -> TransferView<'_> {
        TransferView::of_download(self, status_line)
    }

    /// The progress of a download of AzCopy, with a status line this often.
    #[must_use]
    pub(crate) fn azcopy_download_view(&self, status_line: Duration) -> ByteProgressView<'_> {
        ByteProgressView::of_azcopy(self, status_line)
    }

    /// The progress of the computation of sums, with a status line this often.
    #[must_use]
    pub(crate) fn hash_view(&self, status_line: Duration) -> ByteProgressView<'_> {
        ByteProgressView::of_sums(self, status_line)
    }

    /// The progress of files that are read back, with a status line this often.
    #[must_use]
    pub(crate) fn read_back_view(&self, status_line: Duration) -> ByteProgressView<'_> {
        ByteProgressView::of_read_back(self, status_line)
    }

    /// The progress of a registration.
    #[must_use]
    pub(crate) fn register_view(&self, status_line: Duration) -> StatusView<'_> {
        StatusView::of_registration(self, status_line)
    }

    /// The progress of a deployment.
    #[must_use]
    pub(crate) fn deploy_view(&self, name: &str, status_line: Duration) -> StatusView<'_> {
        StatusView::of_deployment(self, name, status_line)
    }
}

//! Points at which the program is killed.

use foundry_emulator::Route;

use crate::gate::Kind;

/// Stages in the journal, in order.
pub(super) const STAGES: [&str; 4] = ["planned", "uploading", "uploaded", "registering"];

/// Points between the first byte and the last.
pub(super) const BYTE_POINTS: u64 = 16;

/// Point at which the program is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Point {
    /// The service has received this request and does not respond.
    Received(Route, &'static str),
    /// The service has processed this request and does not respond.
    Processed(Route, &'static str),
    /// The store does not respond to the request that follows this number of requests of the kind.
    Store(Kind, u32),
    /// This many of `BYTE_POINTS` parts of the content have been received.
    Bytes(u64),
    /// All files are uploaded; AzCopy has not reported it.
    AllUploaded,
    /// The upload's directory contains an entry whose path contains this text.
    File(&'static str),
    /// The journal has reached this stage.
    Journal(&'static str),
}

impl Point {
    /// Stage in the journal at this point, if there is a journal.
    pub(super) fn stage(self) -> Option<usize> {
        let stage = match self {
            Self::Received(Route::StartPendingUpload, _) | Self::Processed(Route::StartPendingUpload, _) => {
                return None;
            }
            Self::Store(Kind::List, 0 | 1) => return None,
            Self::File("journal.json") => "planned",
            Self::Store(..) | Self::Bytes(_) | Self::AllUploaded | Self::File(_) => "uploading",
            Self::Journal(stage) => stage,
            Self::Received(..) | Self::Processed(..) => "registering",
        };
        STAGES.iter().position(|one| *one == stage)
    }
}

/// All points, in the order of a run.
pub(super) fn points() -> Vec<Point> {
    let mut points = vec![
        Point::Received(Route::StartPendingUpload, "/startPendingUpload"),
        Point::Processed(Route::StartPendingUpload, "/startPendingUpload"),
        Point::Store(Kind::List, 0),
        Point::Store(Kind::List, 1),
        Point::File("journal.json"),
        Point::Journal("planned"),
        Point::Journal("uploading"),
        Point::File("run-1"),
        Point::File("run-1/files.txt"),
        Point::File("run-1/azcopy.pid"),
        Point::Store(Kind::Begin, 0),
        Point::File(".steV"),
        Point::Store(Kind::Content, 0),
        Point::Store(Kind::Commit, 0),
    ];
    points.extend((0..BYTE_POINTS).map(Point::Bytes));
    points.extend((0..8).step_by(2).map(|number| Point::Store(Kind::Properties, number)));
    points.extend([
        Point::AllUploaded,
        // After the upload, the list is compared with the plan.
        Point::Store(Kind::List, 2),
        Point::Journal("uploaded"),
        Point::Journal("registering"),
        Point::Received(Route::CreateAsync, "/createAsync"),
        Point::Processed(Route::CreateAsync, "/createAsync"),
        Point::Received(Route::Poll, "/operations/"),
        Point::Processed(Route::Poll, "/operations/"),
        Point::Received(Route::Get, "/versions/1"),
    ]);
    points
}

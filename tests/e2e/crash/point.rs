//! Points at which the program is killed.

use foundry_emulator::Route;

use crate::gate::Kind;

/// The journal's words for its progress, in their order.
pub(super) const STAGES: [&str; 4] = ["planned", "uploading", "uploaded", "registering"];

/// Points between the first byte and the last.
pub(super) const BYTE_POINTS: u64 = 16;

/// When the program is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Point {
    /// The service has this request and does not answer.
    Asked(Route, &'static str),
    /// The service has done what this request asks for, and does not answer.
    Done(Route, &'static str),
    /// The store does not answer this request, after this number of requests of the kind.
    Store(Kind, u32),
    /// This number of parts of the content have arrived, of `BYTE_POINTS`.
    Bytes(u64),
    /// All files have arrived; AzCopy has not said so.
    AllThere,
    /// Something whose name holds this text is in the upload's directory.
    File(&'static str),
    /// The journal says this.
    Journal(&'static str),
}

impl Point {
    /// Stage in the journal at this point, if there is a journal.
    pub(super) fn stage(self) -> Option<usize> {
        let stage = match self {
            Self::Asked(Route::StartPendingUpload, _) | Self::Done(Route::StartPendingUpload, _) => return None,
            Self::Store(Kind::List, 0 | 1) => return None,
            Self::File("journal.json") => "planned",
            Self::Store(..) | Self::Bytes(_) | Self::AllThere | Self::File(_) => "uploading",
            Self::Journal(stage) => stage,
            Self::Asked(..) | Self::Done(..) => "registering",
        };
        STAGES.iter().position(|one| *one == stage)
    }
}

/// All points, in the order of a run.
pub(super) fn points() -> Vec<Point> {
    let mut points = vec![
        Point::Asked(Route::StartPendingUpload, "/startPendingUpload"),
        Point::Done(Route::StartPendingUpload, "/startPendingUpload"),
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
    points.extend((0..8).step_by(2).map(|number| Point::Store(Kind::Look, number)));
    points.extend([
        Point::AllThere,
        // After the upload, the list is compared with the plan.
        Point::Store(Kind::List, 2),
        Point::Journal("uploaded"),
        Point::Journal("registering"),
        Point::Asked(Route::CreateAsync, "/createAsync"),
        Point::Done(Route::CreateAsync, "/createAsync"),
        Point::Asked(Route::Poll, "/operations/"),
        Point::Done(Route::Poll, "/operations/"),
        Point::Asked(Route::Get, "/versions/1"),
    ]);
    points
}

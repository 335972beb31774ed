//! Number of requests that an armed fault lets pass and harms.

use super::Fault;

/// First fault that concerns a request and is not spent. Each one before it counts the request as one that passed.
pub(super) fn due(faults: &mut [Fault], concerns: impl Fn(&Fault) -> bool) -> Option<&Fault> {
    faults.iter_mut().filter(|fault| concerns(fault)).find_map(|fault| {
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        match &mut fault.count {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(&*fault)
    })
}

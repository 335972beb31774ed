//! Counts the requests that an armed fault lets pass and affects.

use super::Fault;

/// First active fault that applies to a request. Each one before it counts the request as passed.
pub(super) fn due(faults: &mut [Fault], applies: impl Fn(&Fault) -> bool) -> Option<&Fault> {
    faults.iter_mut().filter(|fault| applies(fault)).find_map(|fault| {
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

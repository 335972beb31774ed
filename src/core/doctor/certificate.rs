//! Names and dates of an X.509 certificate for display: its owner, its issuer and its validity. Proves
//! nothing. Pure.

use time::{Date, Month, OffsetDateTime, Time};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const VERSION: u8 = 0xa0;
/// Object identifier 2.5.4.3, without its tag.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// Object identifier 2.5.4.10.
const ORGANIZATION: &[u8] = &[0x55, 4, 10];

/// Certificate as sent by a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Common name, otherwise organization, of its owner.
    pub(super) subject: String,
    /// Common name, otherwise organization, of its issuer.
    pub(super) issuer: String,
    /// True for a self-signed certificate.
    pub(super) is_self_signed: bool,
    /// Start of its validity.
    pub(super) not_before: OffsetDateTime,
    /// End of its validity.
    pub(super) not_after: OffsetDateTime,
}

impl Certificate {
    /// Parses DER; `None` if it is invalid.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let mut fields = Der(Der(Der(der).of(SEQUENCE)?).of(SEQUENCE)?);
        if fields.0.first() == Some(&VERSION) {
            fields.next()?;
        }
        let (_serial, _algorithm) = (fields.next()?, fields.next()?);
        let issuer = fields.of(SEQUENCE)?;
        let mut validity = Der(fields.of(SEQUENCE)?);
        let subject = fields.of(SEQUENCE)?;
        Some(Self {
            subject: name(subject),
            issuer: name(issuer),
            is_self_signed: subject == issuer,
            not_before: date(validity.next()?)?,
            not_after: date(validity.next()?)?,
        })
    }
}

/// Sequence of values: tag, length, content.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Tag and content of the next value.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            // No valid certificate has more than 4 GB.
            length =
                bytes.iter().try_fold(0u32, |sum, byte| sum.checked_mul(256)?.checked_add(u32::from(*byte)))? as usize;
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// Content of the next value, if it has this tag.
    fn of(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
    }
}

fn name(content: &[u8]) -> String {
    let named = |wanted| attribute(content, wanted);
    named(COMMON_NAME).or_else(|| named(ORGANIZATION)).unwrap_or_else(|| "an authority without a name".to_owned())
}

fn attribute(name: &[u8], wanted: &[u8]) -> Option<String> {
    let mut sets = Der(name);
    while let Some(set) = sets.of(SET) {
        let mut attribute = Der(Der(set).of(SEQUENCE)?);
        if attribute.of(OID)? == wanted {
            return Some(String::from_utf8_lossy(attribute.next()?.1).into_owned());
        }
    }
    None
}

/// `260214103000Z`, or with four digits for the year.
fn date((tag, text): (u8, &[u8])) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(text).ok()?;
    let (year, rest) = text.split_at_checked(if tag == UTC_TIME { 2 } else { 4 })?;
    let year: i32 = year.parse().ok()?;
    let year = match tag {
        UTC_TIME if year < 50 => 2000 + year,
        UTC_TIME => 1900 + year,
        _ => year,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(part(0)?).ok()?, part(2)?).ok()?;
    Some(OffsetDateTime::new_utc(date, Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use time::macros::datetime;

    use super::*;

    /// An authority of a company, self-signed.
    const AUTHORITY: &str = "\
        MIIB0zCCAXmgAwIBAgIUNQZ1A3iL2KdQErB2leTHx2dnEMAwCgYIKoZIzj0EAwIwPzELMAkGA1UEBhMCREUxFTATBgNVBAoMDENvbnRvc28g\
        R21iSDEZMBcGA1UEAwwQQ29udG9zbyBQcm94eSBDQTAeFw0yNjExMzAxMTA3NTJaFw0zNjExMjcxMTA3NTJaMD8xCzAJBgNVBAYTAkRFMRUw\
        EwYDVQQKDAxDb250b3NvIEdtYkgxGTAXBgNVBAMMEENvbnRvc28gUHJveHkgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASs3LugJx/z\
        4quDB0B8J+s8eEMo1aW9i7Xx+WBXwLI5/boPc4Oeyw+nPxbg+zAV6x/llY40WKDrSV36FwlRNGrRo1MwUTAdBgNVHQ4EFgQUTvXU8WCmyUFI\
        oC3XiShynzAo+xQwHwYDVR0jBBgwFoAUTvXU8WCmyUFIoC3XiShynzAo+xQwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiA9\
        C0QW/rShTI9yfu+aUrPAoffuhUyEuKgx+YXzcZlTvgIhALEGoA5tKFnBvuMn9utTflq8GR/YDA3DuqW9RdXvj5g8";
    /// A certificate that it signed: version 1, without a common name, valid beyond 2050.
    const SIGNED: &str = "\
        MIIBWDCB/gIUD2UeqRr7L9vN0iFXdqrgHCAWNEEwCgYIKoZIzj0EAwIwPzELMAkGA1UEBhMCREUxFTATBgNVBAoMDENvbnRvc28gR21iSDEZ\
        MBcGA1UEAwwQQ29udG9zbyBQcm94eSBDQTAgFw0yNjExMzAxMTA3NTJaGA8yMDgxMDkwMjExMDc1MlowHDEaMBgGA1UECgwRT25seSBPcmdh\
        bml6YXRpb24wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARrF3rGB/EU3Jexe+yGahpEgeSmtCzdv1fU6QIpdtM5SRyAiQ9ugge0P1NtTsJD\
        Jos0wH9r3IBGHuXvqIca5sH5MAoGCCqGSM49BAMCA0kAMEYCIQDqcYBJ49mJ2k2SP0vElK6i0M5UQ74k2vRKczpt4MDtowIhALKbfs6Kasiy\
        ji/mUoKp6TRnEYmZnEKDKfLlKvx2Jwh0";

    fn der(text: &str) -> Vec<u8> {
        STANDARD.decode(text).expect("base64")
    }

    #[test]
    fn owner_authority_and_validity_are_read() {
        let authority = Certificate {
            subject: "Contoso Proxy CA".to_owned(),
            issuer: "Contoso Proxy CA".to_owned(),
            is_self_signed: true,
            not_before: datetime!(2026-11-30 11:07:52 UTC),
            not_after: datetime!(2036-11-27 11:07:52 UTC),
        };
        let signed = Certificate {
            subject: "Only Organization".to_owned(),
            is_self_signed: false,
            not_after: datetime!(2081-09-02 11:07:52 UTC),
            ..authority.clone()
        };
        assert_eq!(Certificate::read(&der(AUTHORITY)), Some(authority));
        assert_eq!(Certificate::read(&der(SIGNED)), Some(signed));
    }

    #[test]
    fn invalid_bytes_are_not_a_certificate() {
        let der = der(AUTHORITY);
        for cut in 0..300 {
            assert_eq!(Certificate::read(&der[..cut]), None, "{cut}");
        }
        for other in [
            &b""[..],
            b"\x30",
            b"\x30\x80",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x89\x01\x01\x01\x01\x01\x01\x01\x01\x01",
        ] {
            assert_eq!(Certificate::read(other), None, "{other:?}");
        }
        crate::fuzz::fuzz("certificate", &[&der, &tests::der(SIGNED)], |input| drop(Certificate::read(input)));
    }
}

//! Page of `doctor`: all checks with their fixes. Pure.

use super::table::TableStyle;
use super::width::columns;
use azure_ai_models_core::display::printable;

/// Number of columns before the message.
const INDENT: usize = 21;

/// One check.
#[derive(Clone, Debug)]
pub(crate) struct CheckRow<'a> {
    /// `ok`, `warning` or `failed`.
    pub(crate) status: &'a str,
    /// Name of the check.
    pub(crate) id: &'a str,
    /// Message of the check.
    pub(crate) message: &'a str,
    /// Next step for the user.
    pub(crate) fix: Option<&'a str>,
}

/// Formats one line per check, which a script can search; on a terminal the text is wrapped, and a fix has a separate
/// line.
#[must_use]
pub(crate) fn doctor_page(rows: &[CheckRow<'_>], style: TableStyle) -> String {
    rows.iter().map(|row| check_lines(row, style.width.map(usize::from))).collect()
}

fn check_lines(row: &CheckRow<'_>, width: Option<usize>) -> String {
    let CheckRow { status, id, .. } = row;
    let (message, fix) = (printable(row.message), row.fix.map(printable));
    let start = format!("{status:<7}  {id:<10}  ");
    match (width, fix) {
        (None, None) => format!("{start}{message}\n"),
        (None, Some(fix)) => format!("{start}{message}  Fix: {fix}\n"),
        (Some(width), fix) => {
            let margin = format!("\n{:INDENT$}", "");
            let text = wrapped(&message, width.saturating_sub(INDENT)).join(&margin);
            // Never wrapped: it is copied into a shell.
            let fix = fix.map(|fix| format!("{margin}Fix: {fix}")).unwrap_or_default();
            format!("{start}{text}{fix}\n")
        }
    }
}

/// Splits text into lines of limited width; a longer word has a separate line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map(String::as_str).unwrap_or_default();
        if !line.is_empty() && columns(line) + 1 + columns(word) > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [CheckRow<'_>; 2] = [
        CheckRow { status: "ok", id: "azd", message: "1.24.0 (/usr/bin/azd)", fix: None },
        CheckRow {
            status: "failed",
            id: "sign-in",
            message: "not signed in to azd: not logged in, run `azd auth login` to login",
            fix: Some("azd auth login --tenant-id 11111111-2222-3333-4444-555555555555"),
        },
    ];

    #[test]
    fn a_pipe_gets_one_line_per_check_and_a_terminal_wrapped_text() {
        let page = |width| doctor_page(&ROWS, TableStyle { width, summary: true });
        assert_eq!(
            page(None),
            "ok       azd         1.24.0 (/usr/bin/azd)\n\
             failed   sign-in     not signed in to azd: not logged in, run `azd auth login` to login  Fix: azd auth login --tenant-id 11111111-2222-3333-4444-555555555555\n"
        );
        insta::assert_snapshot!(page(Some(60)), @"
        ok       azd         1.24.0 (/usr/bin/azd)
        failed   sign-in     not signed in to azd: not logged in,
                             run `azd auth login` to login
                             Fix: azd auth login --tenant-id 11111111-2222-3333-4444-555555555555
        ");
    }

    #[test]
    fn an_overlong_word_is_not_broken() {
        assert_eq!(wrapped("a bb ccccccc d", 4), ["a bb", "ccccccc", "d"]);
        assert_eq!(wrapped("", 0), [""]);
    }
}

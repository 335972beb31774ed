//! Tables: upper-case headings, no borders, two spaces between columns, fitted to a terminal and never truncated in a
//! pipe.
//!
//! The layout is not left to a library, since the last columns are truncated and then omitted first, and names never
//! are.

use std::borrow::Cow;

use super::width::{columns, cut, is_plain, push_padded};
use azure_ai_models_core::display::printable;

/// Style of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableStyle {
    /// Number of columns of the terminal; `None` in a pipe.
    pub(crate) width: Option<u16>,
    /// True to add the line with the count.
    pub(crate) summary: bool,
}

const GAP: usize = 2;
const MIN_COLUMN_WIDTH: usize = 10;

/// Lays out a table. If it is too wide, the last columns are truncated first, then omitted; the first `whole` columns
/// never are. The rows are iterated twice and never all held in memory: a list may have 100,000.
pub(super) fn table<C: AsRef<str>>(
    headings: &[&str],
    rows: impl IntoIterator<Item = Vec<C>> + Clone,
    whole: usize,
    style: TableStyle,
) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| columns(heading)).collect();
    for row in rows.clone() {
        for (width, cell) in widths.iter_mut().zip(&row) {
            *width = (*width).max(columns(&shown(cell.as_ref())));
        }
    }
    if let Some(available) = style.width {
        fit(&mut widths, whole, usize::from(available));
    }
    let mut out = String::new();
    push_row(&mut out, headings, &widths);
    for row in rows {
        push_row(&mut out, &row, &widths);
    }
    out
}

fn shown(cell: &str) -> Cow<'_, str> {
    if is_plain(cell) { Cow::Borrowed(cell) } else { Cow::Owned(printable(cell)) }
}

fn fit(widths: &mut Vec<usize>, whole: usize, available: usize) {
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let least = |widths: &[usize]| -> Vec<usize> {
        widths
            .iter()
            .enumerate()
            .map(|(at, width)| if at < whole { *width } else { MIN_COLUMN_WIDTH.min(*width) })
            .collect()
    };
    while widths.len() > whole && total(&least(widths)) > available {
        widths.pop();
    }
    let mut over = total(widths).saturating_sub(available);
    for width in widths.iter_mut().skip(whole).rev() {
        let cut = over.min(width.saturating_sub(MIN_COLUMN_WIDTH));
        *width = width.saturating_sub(cut);
        over = over.saturating_sub(cut);
    }
}

fn push_row(out: &mut String, cells: &[impl AsRef<str>], widths: &[usize]) {
    let start = out.len();
    for (cell, width) in cells.iter().zip(widths) {
        push_padded(out, &cut(&shown(cell.as_ref()), *width), width.saturating_add(GAP));
    }
    out.truncate(start + out[start..].trim_end().len());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        [["my-model", "1", "user@contoso.com"], ["模型", "12", "a-very-long-account-name@contoso.com"]]
            .iter()
            .map(|row| row.iter().map(ToString::to_string).collect())
            .collect()
    }

    #[test]
    fn a_pipe_gets_all_columns_and_a_terminal_only_fitting_ones() {
        let all = table(&["NAME", "VERSION", "CREATED BY"], rows(), 1, TableStyle { width: None, summary: true });
        assert_eq!(
            all,
            "NAME      VERSION  CREATED BY\n\
             my-model  1        user@contoso.com\n\
             模型      12       a-very-long-account-name@contoso.com\n"
        );
        let narrow =
            table(&["NAME", "VERSION", "CREATED BY"], rows(), 1, TableStyle { width: Some(36), summary: true });
        assert_eq!(
            narrow,
            "NAME      VERSION  CREATED BY\n\
             my-model  1        user@contoso.com\n\
             模型      12       a-very-long-acco…\n"
        );
        let narrower =
            table(&["NAME", "VERSION", "CREATED BY"], rows(), 1, TableStyle { width: Some(5), summary: true });
        assert_eq!(narrower, "NAME\nmy-model\n模型\n", "names are never cut");
    }

    #[test]
    fn a_table_never_panics_on_any_text_or_width() {
        let nasty = [
            "",
            "a",
            "模型模型模型模型模型模型",
            "❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}❤\u{fe0f}",
            "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
            "🇩🇪🇫🇷🇩🇪🇫🇷🇩🇪🇫🇷🇩",
            "1\u{fe0f}\u{20e3}2\u{fe0f}\u{20e3}3\u{fe0f}\u{20e3}4\u{fe0f}\u{20e3}5\u{fe0f}\u{20e3}6",
            "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}",
            "👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽",
            "☎\u{fe0e}☎\u{fe0f}☎",
            "\u{1b}[31mred\u{1b}[0m\u{9b}2J",
            "\u{200d}\u{200d}\u{200d}",
            "\u{fe0f}\u{fe0f}",
            "ﷺﷺﷺ",
            "a\tb\nc\rd",
            "\u{e0041}\u{e0042}",
            "𒐫𒐫𒐫",
            "a name that is longer than a narrow terminal is wide, by far",
            "\u{202e}abc\u{202c}",
            "한국어\u{115f}\u{1160}ㅤ",
        ];
        for width in (1..=120).map(Some).chain([None]) {
            for one in nasty {
                for other in nasty {
                    let rows = [one, other]
                        .map(|text| vec![text.to_owned(), other.to_owned(), one.to_owned(), "|".to_owned()]);
                    let text = table(&["N", "W", "V", "E"], rows.to_vec(), 1, TableStyle { width, summary: true });
                    if text.lines().next().is_some_and(|headings| !headings.ends_with('E')) {
                        continue;
                    }
                    let places: Vec<usize> =
                        text.lines().skip(1).filter_map(|line| Some(columns(&line[..line.rfind('|')?]))).collect();
                    assert_eq!(places.len(), 2, "{text}");
                    assert_eq!(places[0], places[1], "{width:?} {one:?} {other:?}:\n{text}");
                }
            }
        }
    }

    #[test]
    fn text_of_the_service_cannot_control_the_terminal() {
        let rows = vec![vec!["a\u{1b}[31mb\nc\u{202e}".to_owned()]];
        assert_eq!(
            table(&["NAME"], rows, 1, TableStyle { width: None, summary: true }),
            "NAME\na\u{fffd}[31mb c\u{fffd}\n"
        );
    }

    #[test]
    fn cell_survives_mutation() {
        let seeds: [&[u8]; 3] = [
            "my-model\t1\tme@contoso.com".as_bytes(),
            "模型\t\u{1f468}\u{200d}\u{1f469}\u{fe0f}\tx".as_bytes(),
            "e\u{301}\u{9b}31m\t\t".as_bytes(),
        ];
        crate::fuzz::fuzz("table", &seeds, |input| {
            let text = String::from_utf8_lossy(input);
            let cells: Vec<String> = text.split('\t').take(4).map(str::to_owned).collect();
            let width = input.first().map(|byte| u16::from(*byte));
            let laid_out =
                table(&["NAME", "V", "BY", "X"], vec![cells.clone(), cells], 1, TableStyle { width, summary: true });
            assert!(!laid_out.chars().any(|c| c.is_control() && c != '\n'), "{laid_out:?}");
        });
    }
}

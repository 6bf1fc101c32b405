//! Lines of a file or of standard input, as they come.

use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::exit::Failure;

/// Opens a file; `-` is standard input.
pub fn open(file: &Path) -> anyhow::Result<Box<dyn BufRead + Send>> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file)
        .map_err(|error| Failure::Input(format!("cannot read {}: {error}", file.display())))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, opened)))
}

/// Calls `each` with the number (from 1) and bytes of every line that is not blank. Of a line beyond `most` bytes one more
/// than that is kept, so that it is seen to be too long and memory is not its own to take.
pub fn each_line(
    mut input: impl BufRead,
    most: usize,
    mut each: impl FnMut(u64, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0);
    while read_line(&mut input, &mut line, most)? {
        number += 1;
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        if !text.iter().all(u8::is_ascii_whitespace) {
            each(number, text)?;
        }
    }
    Ok(())
}

/// Reads a line without its end; false at the end of the input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let room = most.saturating_add(1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(bytes.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_with_the_blank_ones_and_end_in_either_way() {
        let mut seen = Vec::new();
        each_line(&b"a\r\n\n  \nbb\nccccc"[..], 3, |number, line| {
            seen.push((number, String::from_utf8_lossy(line).into_owned()));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(1, "a".to_owned()), (4, "bb".into()), (5, "cccc".into())]);
    }
}

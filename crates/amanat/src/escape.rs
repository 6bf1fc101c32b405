//! Text of others on a person's terminal: letters, and nothing to obey.

/// Text as it is, in any script; what a terminal obeys, and what is no text, escaped.
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() || is_direction(letter) {
                out.extend(letter.escape_unicode());
            } else {
                out.push(letter);
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Marks that turn the direction of writing, and so make a text look like another.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_given_letters_and_nothing_to_obey() {
        let shown = escaped("عدالت \u{1b}[2J\n\u{202e}x".as_bytes());
        assert_eq!(shown, "عدالت \\u{1b}[2J\\u{a}\\u{202e}x");
        assert_eq!(escaped(b"\xff{\"a\""), "\\xff{\"a\"");
    }
}

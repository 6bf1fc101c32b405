//! What the pages of the codes say: each code of a question about protected tables has one, the guide shows them all,
//! and what they show is refused and answered as they say. That the real program does so is tested in `amanat`.

use std::fmt::Write as _;

use query::{Code, Page, Question};

use crate::vault;
use crate::vault::{ByRule, figure};

/// Width of the lines of the guide.
const WIDTH: usize = 125;

fn pages() -> impl Iterator<Item = (Code, Page)> {
    Code::ALL.into_iter().filter_map(|code| Some((code, code.page()?)))
}

/// A paragraph in lines that are no longer than the guide's.
fn folded(paragraph: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in paragraph.split(' ') {
        let line = lines.last_mut().expect("a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            let _ = write!(line, " {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}

/// The section of a code in docs/guides/understand-a-refusal.md.
fn section(code: Code, page: &Page) -> String {
    let text = folded(&format!("{} {}", page.meaning, page.advice));
    let mut section = format!("### {}: {}\n\n{text}\n", code.name(), code.title());
    for rewrite in page.rewrites {
        let _ = write!(section, "\n```sql\n-- refused\n{};\n-- instead\n{};\n```\n", rewrite.refused, rewrite.instead);
    }
    section
}

#[test]
fn every_code_of_a_question_about_protected_tables_has_a_page_and_no_other() {
    for code in Code::ALL {
        let page = code.page();
        assert_eq!(page.is_some(), code.is_protected(), "{}", code.name());
        // A fault of ours is no matter of how a question is written.
        let is_rewritten = page.is_some_and(|page| !page.rewrites.is_empty());
        assert_eq!(is_rewritten, code.is_protected() && code != Code::ProtectedInternal, "{}", code.name());
    }
}

#[test]
fn the_guide_shows_what_the_pages_say() {
    let guide = include_str!("../../../../docs/guides/understand-a-refusal.md");
    let expected: Vec<String> = pages().map(|(code, page)| section(code, &page)).collect();
    let expected = expected.join("\n");
    assert!(guide.contains(&expected), "docs/guides/understand-a-refusal.md is to say:\n\n{expected}");
}

/// These need what is published, a share that is spent, or rows: `amanat` tests them.
const ELSEWHERE: [Code; 3] = [Code::TooSparse, Code::ChargesSpent, Code::ProtectedExpression];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_page_shows_as_refused_is_refused_with_its_code_and_what_it_shows_instead_is_answered() {
    let reader = vault::reader(ByRule::new(|_| Some(figure(200)))).await;
    for (code, page) in pages() {
        for rewrite in page.rewrites {
            let compiled = reader.compile(Question::new(rewrite.refused)).await;
            let found = compiled.err().map(|refusal| refusal.code);
            assert!(found == Some(code) || ELSEWHERE.contains(&code), "{found:?} for {}", rewrite.refused);
            let answer = crate::ask(&reader, rewrite.instead, Vec::new()).await;
            let answer = answer.unwrap_or_else(|refusal| panic!("{}: {refusal}", rewrite.instead));
            assert!(answer.row_count() > 0, "{}", rewrite.instead);
        }
    }
}

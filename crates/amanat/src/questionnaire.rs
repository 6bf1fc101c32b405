//! `amanat questionnaire`: a form that others ask for, filled from an edition: GLOTIP, SDG 16.2.2, the TIP report.
//!
//! By the reader that answers over HTTP, from published rows alone. A hidden cell is the flag Q and never empty or zero.

use query::questionnaire;

use crate::cli::QuestionnaireArgs;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::edition;
use crate::exit::{self, Failure};

/// Fills a form and writes it.
pub fn run(config: &Config, args: &QuestionnaireArgs) -> anyhow::Result<()> {
    let form = questionnaire::form(&args.form).map_err(|unknown| usage(&unknown))?;
    let dir = DataDir::open(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let reader = runtime.block_on(edition::reader(config, &dir, None))?;
    let current = reader.current();
    let chosen = current.edition_numbered(args.edition).map_err(|unknown| usage(&unknown))?;
    let year = args.year.or_else(|| endpoint::questionnaire::last_year(chosen, args.fiscal));
    let year = year.ok_or_else(|| Failure::Usage("the edition has no date; name the year by --year".to_owned()))?;
    let period = questionnaire::period(year, args.fiscal);
    let filled = questionnaire::fill(reader.catalogue(), &current, form, Some(chosen.edition), &period)
        .map_err(|unknown| usage(&unknown))?;
    match &args.xlsx {
        Some(file) => {
            std::fs::write(file, endpoint::questionnaire::xlsx(&filled)?)?;
            exit::print(&format!("{}\n", file.display()))
        }
        None => exit::print_bytes(&endpoint::questionnaire::csv(&filled)),
    }
}

fn usage(unknown: &query::Unselected) -> anyhow::Error {
    Failure::Usage(unknown.to_string()).into()
}

//! `amanat resume`: lets a partition go on that stands still because a message cannot be accepted. The permit, with its
//! reason, is a commit in the lake; a worker that is running finds it within seconds.

use eventlog::Watermarks;
use lake::{Events, PartitionId};
use serde_json::json;

use crate::cli::ResumeArgs;
use crate::config::Config;
use crate::data_dir::{DataDir, log_failure, unusable};
use crate::exit::{self, Failure};

/// Permits what cannot be accepted below an offset to be set aside.
pub fn run(config: Config, args: ResumeArgs) -> anyhow::Result<()> {
    let dir = DataDir::open(&config)?;
    let partition = partition(&args.partition)?;
    let marks = in_log(&config, &dir, &partition)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(permit(&dir, &partition, marks, &args))
}

async fn permit(dir: &DataDir, partition: &PartitionId, marks: Watermarks, args: &ResumeArgs) -> anyhow::Result<()> {
    let writer = format!("resume-{}", uuid::Uuid::new_v4().simple());
    let mut events = Events::open(&dir.store, &writer).await.map_err(|error| unusable(&dir.path, &error))?;
    let next = events.snapshot()?.cut.get(partition).copied().unwrap_or(marks.low);
    if let Some(refusal) = refusal(args, next, marks.high) {
        return Err(Failure::Usage(refusal).into());
    }
    let lake_version = events.permit(partition, args.below, args.reason.trim()).await?;
    exit::print(&if args.json {
        let permit = json!({ "partition": partition, "from": next, "below": args.below, "lake_version": lake_version });
        format!("{permit}\n")
    } else {
        format!(
            "what cannot be accepted in {partition} below offset {} is set aside (next to be ingested: {next}); a running worker reads on within seconds\n",
            args.below
        )
    })
}

/// A permit is for what is there: not for the past, and not for what nobody has seen yet.
fn refusal(args: &ResumeArgs, next: i64, high: i64) -> Option<String> {
    let below = args.below;
    if args.reason.trim().is_empty() {
        return Some("--reason is empty: it is kept in the log of the lake, for whoever asks later".to_owned());
    }
    if below <= next {
        return Some(format!("everything below offset {next} is ingested: name a later one with --below"));
    }
    (below > high).then(|| format!("the log ends at offset {high}, and what has not come yet cannot be permitted"))
}

/// STREAM/PARTITION, as `amanat status` prints it.
fn partition(text: &str) -> anyhow::Result<PartitionId> {
    let parsed = text.rsplit_once('/').and_then(|(stream, number)| Some((stream, number.parse().ok()?)));
    let Some((log_stream, partition)) = parsed.filter(|(stream, _)| stream.contains('/')) else {
        return Err(Failure::Usage(format!(
            "{text:?} is no partition; `amanat status` prints them as STREAM/PARTITION"
        ))
        .into());
    };
    Ok(PartitionId { log_stream: log_stream.into(), partition })
}

/// How far the partition goes in the log.
fn in_log(config: &Config, dir: &DataDir, partition: &PartitionId) -> anyhow::Result<Watermarks> {
    let mut source = dir.source(config)?;
    let uid = source.source_uid().to_owned();
    let all = source.partitions().map_err(log_failure)?;
    let found = all.iter().find(|one| PartitionId::new(&uid, &one.stream, one.number) == *partition);
    let Some(found) = found else {
        return Err(Failure::Usage(format!("the log has no partition {partition}; `amanat status` prints them")).into());
    };
    Ok(source.watermarks(found).map_err(log_failure)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_is_for_what_is_there_and_has_a_reason() {
        let asked = |below, reason: &str| {
            let args = ResumeArgs { partition: String::new(), below, reason: reason.into(), json: false };
            refusal(&args, 5, 9)
        };
        assert_eq!(asked(9, "seen"), None);
        assert!(asked(10, "seen").is_some_and(|why| why.contains("ends at offset 9")));
        assert!(asked(5, "seen").is_some_and(|why| why.contains("below offset 5 is ingested")));
        assert!(asked(9, " ").is_some_and(|why| why.contains("--reason")));
    }

    #[test]
    fn a_partition_is_named_as_the_status_prints_it() {
        let named = partition("uid/tip.events.FIA.v1/3").unwrap();
        assert_eq!((&*named.log_stream, named.partition), ("uid/tip.events.FIA.v1", 3));
        assert!(partition("tip.events.FIA.v1/3").is_err() && partition("uid/tip.events.FIA.v1").is_err());
    }
}

//! What the page of a code says: `/problems/PRIV-1003`, and the section of docs/guides/understand-a-refusal.md that says the same.
//!
//! Each code of a question about protected tables says what it means and what to do; where a statement can be written
//! otherwise, it shows one that is refused with exactly this code, and one that does what was meant and is answered.
//! Absent: what is wrong with one question; its refusal says that.

use serde::Serialize;

use crate::refusal::Code;

/// What the page of a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Page {
    /// What the code means, in a sentence or two.
    pub meaning: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// Statements of the code, each with what to write instead; none where no other statement helps.
    pub rewrites: &'static [Rewrite],
}

/// A statement that is refused, and one that does what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rewrite {
    /// It is refused with the code of its page.
    pub refused: &'static str,
    /// It is answered.
    pub instead: &'static str,
}

const fn page(meaning: &'static str, advice: &'static str, rewrites: &'static [Rewrite]) -> Page {
    Page { meaning, advice, rewrites }
}

impl Code {
    /// The page of a code of a question about protected tables.
    pub fn page(self) -> Option<Page> {
        Some(match self {
            Code::ProtectedTable => TABLE,
            Code::NotFilterable => NOT_FILTERABLE,
            Code::ProtectedForm => FORM,
            Code::NotACode => NOT_A_CODE,
            Code::ProtectedJoin => JOIN,
            Code::Steering => STEERING,
            Code::ProtectedFunction => FUNCTION,
            Code::TooManyDimensions => DIMENSIONS,
            Code::TooSparse => SPARSE,
            Code::ProtectedStatement => STATEMENT,
            Code::ProtectedAggregate => AGGREGATE,
            Code::TooManyCells => CELLS,
            Code::TooManyGroupingSets => GROUPING_SETS,
            Code::NotTotal => NOT_TOTAL,
            Code::ManyValued => MANY_VALUED,
            Code::NotTheOpenSnapshot => SNAPSHOT,
            Code::ChargesSpent => SPENT,
            Code::ProtectedExpression => EXPRESSION,
            Code::ProtectedInternal => INTERNAL,
            _ => return None,
        })
    }
}

const TABLE: Page = page(
    "The schema protected has no table of that name.",
    "Take a name from information_schema.tables, where table_schema is 'protected'.",
    &[Rewrite {
        refused: "select count(*) from protected.victim where year = 2024",
        instead: "select count(*) from protected.victims where year = 2024",
    }],
);

const NOT_FILTERABLE: Page = page(
    "person_id, case_id and agency tell records apart. They are counted, inside count(distinct …), and neither \
     shown nor selected or grouped by.",
    "Count them without repetition, by columns that have codes. Some datasets have a group of agencies as such a \
     column.",
    &[
        Rewrite {
            refused: "select count(case_id) as cases from victims where year = 2024",
            instead: "select count(distinct case_id) as cases from victims where year = 2024",
        },
        Rewrite {
            refused: "select agency, count(*) as cases from cases where year = 2024 group by agency",
            instead: "select lead_agency_group, count(*) as cases from cases
where year = 2024 group by lead_agency_group",
        },
    ],
);

const FORM: Page = page(
    "Between records of people and the aggregate over them stand conditions on codes, joined by AND, and groups by \
     codes. Rows are not shown, and no other form is allowed there.",
    "Aggregate first and write the rest over the aggregate, in which all of SQL is at hand. A condition over two \
     columns is of that kind, too: group by both and add the rows that match. Two counts added up would count twice \
     of whom both hold.",
    &[
        Rewrite {
            refused: "select * from victims where year = 2024 limit 10",
            instead: "select sex, age_group, count(*) as victims from victims
where year = 2024 group by sex, age_group limit 10",
        },
        Rewrite {
            refused: "select count(*) from victims where year = 2024 and (sex = 'F' or age_group = 'child')",
            instead: "select sum(n) as women_or_children
from (select case when sex = 'F' then 'yes' else 'no' end as female,
             case when age_group = 'child' then 'yes' else 'no' end as child, count(*) as n
      from victims where year = 2024 group by 1, 2) as t
where female = 'yes' or child = 'yes'",
        },
    ],
);

const NOT_A_CODE: Page = page(
    "What stands in the condition is no code of the column, no label of one, no bound between two of its codes, or \
     no period of its level that is published.",
    "Take codes from the list of the column: information_schema.columns names it in code_list. Periods begin with \
     their first day.",
    &[
        Rewrite {
            refused: "select count(*) from victims where year = 2024 and province = 'Panjab'",
            instead: "select count(*) from victims where year = 2024 and province = 'PK-PB'",
        },
        Rewrite {
            refused: "select count(*) from victims where month >= '2024-01-15' and month < '2024-07-15'",
            instead: "select count(*) from victims where month >= '2024-01-01' and month < '2024-07-01'",
        },
    ],
);

const JOIN: Page = page(
    "Records of people are joined to the code list of one of their columns, on its code, and to nothing else. A \
     join of two datasets would follow persons from one to the other.",
    "Join the list on code. Of two datasets, count each by what they have in common and join the counts.",
    &[
        Rewrite {
            refused: "select p.en, count(*) as victims
from victims as v join reference.province as p on v.province = p.en
where v.year = 2024 group by p.en",
            instead: "select p.en, count(*) as victims
from victims as v join reference.province as p on v.province = p.code
where v.year = 2024 group by p.en",
        },
        Rewrite {
            refused: "select count(distinct a.person_id) * 1.0 / count(distinct v.person_id) as accused_per_victim
from victims as v join accused as a on a.case_id = v.case_id
where v.year = 2024",
            instead: "select a.n * 1.0 / nullif(v.n, 0) as accused_per_victim
from (select count(*) as n from victims where year = 2024) as v,
     (select count(*) as n from accused where year = 2024) as a",
        },
    ],
);

const STEERING: Page = page(
    "A number that was released would decide which records are counted next.",
    "Ask for all groups, and choose among them outside of the subquery.",
    &[Rewrite {
        refused: "select province, age_group, count(*) as victims from victims
where year = 2024
  and province in (select province from victims where year = 2024 group by province having count(*) > 100)
group by province, age_group",
        instead: "select province, age_group, victims
from (select province, age_group, count(*) as victims from victims where year = 2024 group by province, age_group) as t
where province in (select province from victims where year = 2024 group by province having count(*) > 100)",
    }],
);

const FUNCTION: Page = page(
    "Between records of people and the aggregate over them columns stand as they are, but for date_trunc, extract \
     and priv_level. Functions that are not offered at all are refused over protected tables with this code, too.",
    "Group by the column and apply the function to the released rows.",
    &[Rewrite {
        refused: "select lower(sex) as sex, count(*) as victims from victims where year = 2024 group by lower(sex)",
        instead: "select lower(sex) as sex, victims
from (select sex, count(*) as victims from victims where year = 2024 group by sex) as t",
    }],
);

const DIMENSIONS: Page = page(
    "The question has more columns in groups and conditions, more measures, or more codes in one condition than one \
     question may have.",
    "Ask two questions with fewer columns. Name the codes that are not meant and take them away, where those that \
     are meant are many; or use a coarser level.",
    &[
        Rewrite {
            refused: "select sex, age_group, scope, status, referral_source, count(*) as victims from victims
where year = 2024 group by sex, age_group, scope, status, referral_source",
            instead: "select sex, age_group, scope, count(*) as victims from victims
where year = 2024 group by sex, age_group, scope",
        },
        Rewrite {
            refused: "select count(*) from victims where year = 2024 and citizenship not in ('AF', 'IR')",
            instead: "select count(*) - count(*) filter (where citizenship in ('AF', 'IR')) from victims
where year = 2024",
        },
    ],
);

const SPARSE: Page = page(
    "By the published tables, most of those asked about would be in cells that are too small to be shown. Nothing \
     was asked and nothing charged.",
    "Write a coarser level or leave a column out; the hint says which helps most.",
    &[Rewrite {
        refused: "select place_identified, month, sex, count(*) as victims from victims
where year = 2024 group by place_identified, month, sex",
        instead: "select province, sex, count(*) as victims from victims
where year = 2024 group by province, sex",
    }],
);

const STATEMENT: Page = page(
    "The statement names a protected table and is no query.",
    "Write one SELECT; what a view would be stands in WITH. What a table has is in information_schema.columns, and \
     EXPLAIN alone says what a question would cost.",
    &[
        Rewrite {
            refused: "create view by_sex as select sex, count(*) as n from victims where year = 2024 group by sex",
            instead: "with by_sex as (select sex, count(*) as n from victims where year = 2024 group by sex)
select sex, n from by_sex",
        },
        Rewrite {
            refused: "describe victims",
            instead: "select column_name, data_type, description from information_schema.columns
where table_schema = 'protected' and table_name = 'victims'",
        },
    ],
);

const AGGREGATE: Page = page(
    "The aggregate would give values of single records, or has no measure here. Counts, sums, means and quantiles \
     of the measures of a dataset are offered.",
    "List the codes that can be shown by SELECT DISTINCT, and aggregate those; count a column by its codes.",
    &[Rewrite {
        refused: "select max(age_band) as oldest from victims where year = 2024",
        instead: "select max(age_band) as oldest
from (select distinct age_band from victims where year = 2024 and age_band is not null) as t",
    }],
);

const CELLS: Page = page(
    "The question has more cells than one question may have: groups of each column multiplied, whether anybody is \
     in them or not.",
    "Take coarser levels, fewer columns or a shorter time.",
    &[Rewrite {
        refused: "select citizenship, month, count(*) as victims from victims group by citizenship, month",
        instead: "select citizenship_region, year, count(*) as victims from victims group by citizenship_region, year",
    }],
);

const GROUPING_SETS: Page = page(
    "CUBE, ROLLUP or GROUPING SETS ask for more sets than one question may have; CUBE doubles them with each \
     column.",
    "Name the sets that are needed.",
    &[Rewrite {
        refused: "select sex, age_group, scope, status, referral_source, count(*) as victims from victims
where year = 2024 group by cube (sex, age_group, scope, status, referral_source)",
        instead: "select sex, age_group, scope, count(*) as victims from victims
where year = 2024 group by grouping sets ((sex, age_group), (scope), ())",
    }],
);

const NOT_TOTAL: Page = page(
    "CASE puts codes into classes and leaves some, such as unknown (_X), without one.",
    "Add ELSE, so that every code has a class.",
    &[Rewrite {
        refused: "select case when age_group = 'child' then 'minor' when age_group = 'adult' then 'of age' end as age,
       count(*) as n
from victims where year = 2024 group by 1",
        instead: "select case when age_group = 'child' then 'minor' when age_group = 'adult' then 'of age'
            else 'unknown' end as age,
       count(*) as n
from victims where year = 2024 group by 1",
    }],
);

const MANY_VALUED: Page = page(
    "A person may have several codes of the column, so that NOT, two conditions at once, more than three codes, or \
     classes made by CASE would say of a person what her list of codes is.",
    "Count who has at least one of up to three codes, and take that from all.",
    &[Rewrite {
        refused: "select count(*) from victims where year = 2024 and exploitation <> 'sexual'",
        instead: "select count(*) - count(*) filter (where exploitation = 'sexual') from victims where year = 2024",
    }],
);

const SNAPSHOT: Page = page(
    "Records of people are kept as they are known now, and that is the latest edition. As known on a date on which \
     another edition was the latest, or none, they are not answered: an answer would add to what was published then.",
    "Ask a published table as known on that date, or the edition by its number; or leave AS KNOWN ON out. Who runs the \
     service can compute an old edition again from its events: amanat edition recompute.",
    &[Rewrite {
        refused: "select count(*) as victims from victims as known on '2020-12-31' where year = 2024",
        instead: "select time_period, province, value from published.indicator_values
where edition = 1 and indicator = 'V01' and measure = 'victims'",
    }],
);

const SPENT: Page = page(
    "Each new way to ask about the records of a province and quarter is charged, for everybody, and what your role \
     may ask about them in this way is spent. What was charged once is free for ever.",
    "Ask what was asked before (the hint names the nearest), the breakdowns of the published indicators, which are \
     free, or a coarser one. EXPLAIN says beforehand what is free. The statement below is refused once the share is \
     spent.",
    &[Rewrite {
        refused: "select recruiter_relation, act, count(*) as victims from victims
where year = 2024 group by recruiter_relation, act",
        instead: "select recruiter_relation, count(*) as victims from victims
where year = 2024 and status = 'actual' group by recruiter_relation",
    }],
);

const EXPRESSION: Page = page(
    "An expression over released numbers or codes could not be computed: a division by zero, a text that is no \
     number, a number that is too large.",
    "Divide by nullif(…, 0), and cast by try_cast, which gives NULL where there is no value.",
    &[Rewrite {
        refused: "select cast(substr(age_band, 1, 2) as int) as from_age, n
from (select age_band, count(*) as n from victims where year = 2024 group by age_band) as t",
        instead: "select try_cast(substr(age_band, 1, 2) as int) as from_age, n
from (select age_band, count(*) as n from victims where year = 2024 group by age_band) as t",
    }],
);

const INTERNAL: Page = page(
    "The fault is ours. The refusal says no more, whatever it was; what it was stands in the operator's log, under \
     the number in incident.",
    "Ask again in a while, with the same text: the same question has the same answer and is charged once. If it \
     stays, tell who runs this service the number in incident. There is nothing in it of the question or the data.",
    &[],
);

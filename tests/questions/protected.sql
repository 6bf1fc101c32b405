-- What questions over protected tables ask of the vault, and which are refused: the examples of privacy.md 6.3, in its
-- order, and beside each what differs by a step. A line `-->` is a question in codes: dataset | population | breakdown |
-- measures; a level in braces is user-defined. A line `--> NOTE` is a note of the answer.

-- expect: ok
--> victims | year: 2024 | province | Units
select province, count(*) from victims where year = 2024 group by province

-- expect: ok
--> victims | sex: F and year: 2024 | | Units
select count(*) from victims where year = 2024 and sex = 'F'

-- expect: ok
--> victims | sex: F and year: 2024 | | Units
select count(*) from victims where sex in ('F') and year between '2024' and 2024

-- expect: ok
--> victims | year: 2024 | province, sex | Units
--> NOTE-3001
with t as (select sex, province, count(*) n from victims where year = 2024 group by 1, 2) select *, n*1.0/sum(n) over (partition by sex) share from t order by n desc limit 5

-- expect: ok
--> victims | year: 2024 | province, sex | Units
--> victims | year: 2024 | sex | Units
with t as (select sex, province, grouping(province) g, count(*) n from victims where year = 2024 group by grouping sets ((sex, province), (sex))) select a.sex, a.province, a.n*1.0/b.n share from t a join t b on a.sex = b.sex where a.g = 0 and b.g = 1

-- expect: ok
--> victims | year: 2024 | province | Units
--> NOTE-3001
--> NOTE-3003
with t as (select province, count(*) n from victims where year = 2024 group by 1) select sum(n), sum_visible(n) from t

-- expect: ok
--> victims | age_group: child | year | Units
--> victims | | year | Units
select year, count(*) filter (where age_group = 'child')*100.0/count(*) from victims group by year having count(*) > 100

-- expect: ok
--> victims | | age_group | Units
select case when age_band in ('00-08','09-17') then 'child' when age_band = '_X' then 'unknown' else 'adult' end g, count(distinct person_id) from victims group by 1

-- expect: ok
--> victims | | age_group {child; adult, _X} | Units
select case when age_band in ('00-08','09-17') then 'child' else 'adult' end g, count(distinct person_id) from victims group by 1

-- expect: ok
--> victims | year: 2024 | exploitation | Units
--> NOTE-3002
select exploitation, count(*) from victims where year = 2024 group by exploitation

-- expect: ok
--> victims | scope: domestic and year: 2024 | place_exploited_province, place_recruited_province | Units
select place_recruited_province, place_exploited_province, count(*) from victims where year = 2024 and scope = 'domestic' group by 1, 2

-- expect: ok
--> victims | | citizenship_subregion | Units
select c.citizenship_subregion, count(*) from victims v join reference.citizenship c on v.citizenship = c.code group by 1

-- expect: ok
--> victims | year: 2024 | province | Units
select a.province, a.n*1e5/b.pop from (select province, count(*) n from victims where year = 2024 group by 1) a left join (select province, sum(population) pop from reference.population where year = 2024 group by 1) b on a.province = b.province

-- expect: ok
--> cases | year: 2024 | province, quarter | Units
select province, quarter, count(*) from cases where year = 2024 group by province, quarter

-- expect: ok
--> judgments | verdict: convicted | province, sex | Units
select province, sex, count(distinct person_id) from judgments where verdict = 'convicted' group by province, sex

-- expect: ok
--> judgments | section: PTPA-3-2 | imprisonment_months_band | Units
--> judgments | imprisonment_months_band: 0, 1-5, 6-11, 12-23, 24-35, 36-59, 60-83, 84-119, 120-167, 168-239, 240+ and section: PTPA-3-2 | | Units, Sum("imprisonment_months")
select median(imprisonment_months), avg(imprisonment_months) from judgments where section = 'PTPA-3-2'

-- expect: ok
--> inspections | sector: brick_kiln | quarter | Sum("children")
select quarter, sum(children) from inspections where sector = 'brick_kiln' group by quarter

-- expect: ok
--> services | service: shelter | | Units, Rows
select count(*), count(distinct person_id) from services where service = 'shelter'

-- expect: ok
--> victims | isic: _X and year: 2024 | | Units
select count(*) from victims where year = 2024 and (sector = '_X' or sector is null)

-- expect: PRIV-1003
select * from victims

-- expect: PRIV-1003
select sex from victims limit 1

-- expect: PRIV-1003
select count(*) from (select * from victims limit 50)

-- expect: PRIV-1003
select count(*) from victims where year = 2024 and (province = 'PK-PB' or sex = 'F')

-- expect: PRIV-1002
select agency, count(*) from victims group by agency

-- expect: PRIV-1002
select count(*) from victims where year = 2024 and case_id is not null

-- expect: PRIV-1004
select count(*) from victims where year = 2024 and province = 'Panjab'

-- expect: PRIV-1015
select count(*) from victims where year = 2024 and exploitation <> 'sexual'

-- expect: PRIV-1015
select count(*) from victims where year = 2024 and exploitation in ('sexual','forced_labour','forced_begging','other')

-- expect: PRIV-1005
select count(*) from victims v join accused a on v.case_id = a.case_id

-- expect: PRIV-1005
select count(*) from victims v join victims w on v.case_id = w.case_id

-- expect: PRIV-1006
select count(*) from victims where province in (select province from (select province, count(*) c from victims group by 1) t where c > 50)

-- expect: PRIV-1007
select count(*) from victims where year = 2024 and random() < 0.5

-- expect: PRIV-1007
select count(*) from victims where year = 2024 and md5(person_id) like 'a%'

-- expect: PRIV-1011
select sum(case when age_band = '09-17' then 1000000 else 0 end) from victims

-- expect: PRIV-1004
select sum(case when age_band = '17' then 1 else 0 end) from victims

-- expect: ok
--> victims | province: PK-BA and year: 2024 | | Units
select 1/(count(*)-12) from victims where year = 2024 and province = 'PK-BA'

-- expect: PRIV-1010
explain analyze select count(*) from victims

-- expect: PRIV-1010
copy victims to '/tmp/victims.csv'

-- expect: statement
set datafusion.execution.batch_size = 1

-- expect: PRIV-1010
create view v as select count(*) from victims

-- the micro-grammar, a step beside the examples

-- expect: ok
--> victims | province: PK-PB, PK-SD | | Units
select count(*) from victims where province = 'PK-PB' or province = 'PK-SD'

-- expect: ok
--> victims | age_band: 00-08, 09-17, 18-20 | | Units
select count(*) from victims where age_group = 'child' or age_band = '18-20'

-- expect: ok
--> victims | sex: T, _X | | Units
select count(*) from victims where not (sex = 'F' or sex = 'M')

-- expect: ok
--> victims | sex: M, T, _X | | Units
select count(*) from victims where sex <> 'F'

-- expect: ok
--> victims | sex: F, M, T | | Units
select count(*) from victims where sex is not null

-- expect: ok
--> victims | age_group: adult | | Units
select count(*) from victims where age_band >= '18-20'

-- expect: ok
--> victims | age_band: 09-17, 18-20, 21-23 | | Units
select count(*) from victims where age_band between '09-17' and '21-23'

-- expect: ok
--> victims | fiscal_year: 2023-24 | | Units
select count(*) from victims where month >= '2023-07-01' and month < '2024-07-01'

-- expect: ok
--> victims | quarter: 2024-Q1 | | Units
select count(*) from victims where month >= date '2024-01-01' and month <= date '2024-03-01'

-- expect: ok
--> victims | quarter: 2024-Q1, 2024-Q2, 2024-Q3, 2024-Q4 | | Units
select count(*) from victims where month < '2025-01-01' and year = 2024

-- expect: ok
--> victims | year: 2023, 2024 | | Units
select count(*) from victims where 2023 <= year and year < 2025

-- expect: ok
--> victims | sex: F and quarter: 2024-Q1, 2024-Q3 | | Units
select count(*) from victims where quarter in ('2024-Q1', '2024-Q3') and 'F' = sex

-- expect: ok
--> victims | quarter: 2024-Q1 | | Units
select count(*) from victims where date_trunc('quarter', month) = '2024-01-01'

-- expect: ok
--> victims | year: 2024 | | Units
select count(*) from victims where extract(year from month) = 2024

-- expect: ok
--> victims | isic: _X | | Units
select count(*) from victims where coalesce(sector, '_X') = '_X'

-- expect: ok
--> victims | isic: C | | Units
select count(*) from victims where priv_level(sector, 'isic') = 'C'

-- expect: ok
--> victims | exploitation: sexual, forced_labour, other | | Units
select count(*) from victims where exploitation in ('sexual', 'forced_labour', 'other')

-- expect: ok
--> victims | exploitation_form: forced_labour_slavery | | Units
select count(*) from victims where exploitation_form = 'forced_labour_slavery'

-- expect: ok
--> victims | place_identified: | | Units
select count(*) from victims where province = 'PK-PB' and province = 'PK-SD'

-- expect: ok
--> victims | province: PK-PB and year: 2024 | | Units
-- params: ["PK-PB", 2024]
select count(*) from victims where province = $1 and year = $2

-- expect: ok
--> victims | scope: domestic, transnational_out, transnational_in, transit | | Units
select count(scope) from victims

-- expect: ok
--> victims | isic: A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T, U | | Units
select count(sector) from victims

-- expect: PRIV-1008
select count(*) from victims where isic not in ('A', 'C')

-- expect: ok
--> victims | | | Units, Cases, Agencies
select count(distinct case_id), count(distinct agency), count(distinct person_id), count(*) from victims

-- expect: ok
--> cases | | | Units
select count(distinct case_id), count(*) from cases

-- expect: PRIV-1011
select count(distinct person_id) from cases

-- expect: ok
--> victims | year: 2024 | province |
select count(distinct province) from victims where year = 2024

-- expect: ok
--> victims | | province, sex |
select sex, count(distinct province) from victims group by sex

-- expect: ok
--> victims | sex: F | | Units
select sum(case when sex = 'F' then 1 else 0 end), count(case when sex = 'F' then 1 end), count(*) filter (where sex = 'F') from victims

-- expect: ok
--> victims | sex: F | | Units
select sum(f) from (select case when sex = 'F' then 1 else 0 end f from victims) t

-- expect: ok
--> victims | year: 2024 | age_group {child; adult, _X} | Units
select g, count(*) from (select case age_group when 'child' then 'minor' else 'other' end g, year from victims) t where year = 2024 group by g

-- expect: ok
--> victims | age_group: child | | Units
select count(*) from (select case age_group when 'child' then 'minor' else 'other' end g from victims) t where g = 'minor'

-- expect: ok
--> victims | sex: F and year: 2024 | | Units
select count(*) from (select * from victims where year = 2024) t where sex = 'F'

-- expect: ok
--> victims | year: 2024 | | Units
--> victims | sex: F and year: 2024 | | Units
with v as (select * from victims where year = 2024) select (select count(*) from v) as a, (select count(*) from v where sex = 'F') as f

-- levels and groups

-- expect: ok
--> victims | | sex |
select distinct sex from victims

-- expect: ok
--> victims | | province, sex |
select sex, province from victims group by sex, province

-- expect: ok
--> victims | | quarter | Units
select year, quarter, count(*) from victims group by year, quarter

-- expect: ok
--> victims | year: 2024 | quarter | Units
select year, quarter, count(*) from victims where year = 2024 group by year, quarter

-- expect: ok
--> victims | | age_band | Units
select age_band, age_group, count(*) from victims group by age_band, age_group

-- expect: ok
--> victims | | quarter | Units
select date_trunc('quarter', month) q, count(*) from victims group by 1

-- expect: ok
--> victims | | year | Units
select date_part('year', month) y, count(*) from victims group by 1

-- expect: ok
--> victims | | citizenship_region | Units
select priv_level(citizenship, 'citizenship_region') r, count(*) from victims group by 1

-- expect: ok
--> victims | | sector | Units
select coalesce(sector, '_X') s, count(*) from victims group by 1

-- expect: ok
--> victims | | sex {F; M; T, _X} | Units
select case sex when 'F' then 'female' when 'M' then 'male' else 'other' end s, count(*) from victims group by 1

-- expect: ok
--> victims | | province | Units
select p.en, count(*) from victims v join reference.province p on v.province = p.code group by p.en

-- expect: ok
--> victims | | province | Units
select p.en, t.n from (select province, count(*) n from victims group by 1) t right join reference.province p on t.province = p.code

-- expect: ok
--> victims | year: 2024 | province, sex | Units
--> victims | year: 2024 | sex | Units
--> victims | year: 2024 | | Units
select sex, province, count(*) from victims where year = 2024 group by rollup (sex, province)

-- expect: ok
--> victims | year: 2024 | province, sex | Units
--> victims | year: 2024 | province | Units
--> victims | year: 2024 | sex | Units
--> victims | year: 2024 | | Units
select sex, province, grouping(sex), grouping(province), count(*) from victims where year = 2024 group by cube (sex, province)

-- expect: ok
--> victims | | exploitation | Units
--> NOTE-3001
--> NOTE-3002
select exploitation_form, sum(n) from (select exploitation, exploitation_form, count(*) n from victims group by 1, 2) t group by 1

-- over released rows

-- expect: ok
--> victims | | province | Units
select province, count(*) n from victims group by province having count(*) > 20 order by n desc limit 3

-- expect: ok
--> victims | | province | Units
select province, n, rank() over (order by n desc) from (select province, count(*) n from victims group by 1) t

-- expect: ok
--> victims | | | Units
--> accused | | | Units
select a.n * 1.0 / b.n from (select count(*) n from victims) a, (select count(*) n from accused) b

-- expect: ok
--> victims | | province | Units
--> accused | | province | Units
select province, count(*) from victims group by province union all select province, count(*) from accused group by province

-- expect: ok
--> victims | | province | Units
--> NOTE-3001
--> NOTE-3001
--> NOTE-3001
--> NOTE-3001
select avg(n), max(n), min(n), count(n), count(*) from (select province, count(*) n from victims group by 1) t

-- expect: ok
--> victims | | province | Units
select count(*) from (select province, count(*) n from victims group by 1) t where n > 50

-- expect: ok
--> victims | | province | Units
--> NOTE-3001
select province from (select province, count(*) n from victims group by 1) t where n = (select max(n) from (select province, count(*) n from victims group by 1) u)

-- expect: ok
--> victims | | province | Units
select code, en from reference.province where code in (select province from (select province, count(*) n from victims group by 1) t where n > 50)

-- expect: ok
--> victims | year: 2024 | | Units
select count(*) n from protected.victims where year = 2024

-- measures

-- expect: ok
--> judgments | year: 2024 | imprisonment_months_band | Units
select min(imprisonment_months), max(imprisonment_months), percentile_cont(0.9) within group (order by imprisonment_months) from judgments where year = 2024

-- expect: ok
--> judgments | | province | Rows, Sum("fine_pkr")
--> judgments | fine_pkr_band: 0, 1-9999, 10000-24999, 25000-49999, 50000-99999, 100000-199999, 200000-299999, 300000-499999, 500000-749999, 750000+ | province | Units, Rows, Sum("fine_pkr")
select province, sum(fine_pkr), avg(fine_pkr), count(*), count(fine_pkr) from judgments group by province

-- expect: ok
--> judgments | imprisonment_months_band: 60-83, 84-119, 120-167, 168-239, 240+ | | Rows
select count(*) from judgments where imprisonment_months >= 60

-- expect: ok
--> judgments | imprisonment_months_band: 12-23, 24-35, 36-59 | | Rows
select count(*) from judgments where imprisonment_months between 12 and 59

-- expect: ok
--> judgments | imprisonment_months_band: 0 | | Rows
select count(*) from judgments where imprisonment_months = 0

-- expect: ok
--> judgments | imprisonment_months_band: _X | | Rows
select count(*) from judgments where imprisonment_months is null

-- expect: ok
--> judgments | imprisonment_months_band: 12-23, 24-35, 36-59, 60-83, 84-119, 120-167, 168-239, 240+ | imprisonment_months_band | Rows
select imprisonment_months_band, count(*) from judgments where imprisonment_months_band >= '12-23' group by 1

-- expect: PRIV-1004
select count(*) from judgments where imprisonment_months > 60

-- expect: PRIV-1004
select count(*) from judgments where imprisonment_months = 61

-- expect: PRIV-1002
select imprisonment_months, count(*) from judgments group by 1

-- expect: PRIV-1003
select sum(imprisonment_months * 2) from judgments

-- expect: PRIV-1011
select sum(distinct imprisonment_months) from judgments

-- expect: PRIV-1011
select imprisonment_months_band, median(imprisonment_months) from judgments group by 1

-- expect: PRIV-1003
select distinct imprisonment_months from judgments

-- expect: PRIV-1011
select stddev(imprisonment_months) from judgments

-- expect: ok
--> victims | | age_band {00-08; 09-17; 18-20, 21-23, 24-26, 27-29, 30-38, 39-47; 48+; _X} | Units
select age_group, case when age_band in ('00-08', '48+') then 'ends' else 'middle' end e, count(*) from victims group by 1, 2

-- expect: ok
--> victims | | age_group | Units
select age_group, case when age_band = '_X' then '?' else 'known' end e, count(*) from victims group by 1, 2

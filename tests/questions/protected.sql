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

-- expect: unknown_column
select median(imprisonment_months), avg(imprisonment_months) from judgments where section = 'PTPA-3-2'

-- expect: unknown_column
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
select count(*) from victims where year = 2024 and province = 'Punjab'

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

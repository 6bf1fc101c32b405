-- Ways around the guard of protected tables, and what becomes of each. Format: as in tests/questions/ordinary.sql; the
-- code "ok" stands where the text is harmless, because it computes over released rows alone.

-- entropy, rows and windows between records and their aggregate

-- expect: PRIV-1007
select count(*) from (select * from victims where random() < 0.5) t
-- expect: PRIV-1007
select count(*) from victims where case when uuid() > 'a' then true else false end
-- expect: PRIV-1003
select count(*) from (select sex from victims limit 10) t
-- expect: PRIV-1003
select count(*) from (select sex from victims order by province limit 10 offset 5) t
-- expect: ok
select count(*) from (select sex from victims order by province) t
-- expect: PRIV-1003
select count(*) from (select sex, row_number() over (order by province) r from victims) t where r < 20
-- expect: PRIV-1003
select count(*) from (select distinct on (province) province, sex from victims order by province, sex) t
-- expect: PRIV-1003
select count(*) from (select sex from victims union all select sex from victims) t
-- expect: PRIV-1003
select count(*) from (select sex from victims union select sex from accused) t
-- expect: PRIV-1006
select count(*) from (select sex from victims except select sex from victims where year = 2024) t
-- expect: PRIV-1005
select count(*) from (select sex from victims intersect all select 'F') t
-- expect: PRIV-1003
select sum(count(*)) over (), sex from (select sex from victims limit 3) t group by sex

-- joins that multiply or pick records

-- expect: PRIV-1005
select count(*) from victims, (values (1), (2), (3)) as t(n)
-- expect: PRIV-1005
select count(*) from victims cross join reference.province
-- expect: PRIV-1005
select count(*) from victims v join (values ('PK-PB')) as t(p) on v.province = t.p
-- expect: PRIV-1005
select count(*) from victims v join reference.province p on v.province <> p.code
-- expect: PRIV-1005
select count(*) from victims v join reference.province p on v.province = p.en
-- expect: PRIV-1005
select count(*) from victims v join reference.province p on v.sex = p.code
-- expect: PRIV-1005
select count(*) from victims v join reference.province p on v.province = p.code and v.sex = 'F'
-- expect: PRIV-1005
select count(*) from reference.province p left join victims v on v.province = p.code
-- expect: PRIV-1005
select count(*) from victims v full join reference.province p on v.province = p.code
-- expect: PRIV-1005
select count(*) from victims v left semi join reference.province p on v.province = p.code
-- expect: PRIV-1005
select count(*) from victims v left anti join reference.province p on v.province = p.code
-- expect: PRIV-1005
select count(*) from victims v join (select code from reference.province limit 2) p on v.province = p.code
-- expect: PRIV-1005
select count(*) from victims v join (select code from reference.province union all select code from reference.province) p on v.province = p.code
-- expect: PRIV-1005
select count(*) from victims a join victims b using (province)
-- expect: PRIV-1005
select count(*) from victims natural join accused
-- expect: PRIV-1005
select count(*) from victims v join v01 on v.province = v01.province
-- expect: PRIV-1006
select count(*) from victims v join (select province, count(*) n from cases group by 1) c on v.province = c.province
-- expect: PRIV-1006
select count(*) from (select distinct province from cases) c join victims v on v.province = c.province

-- subqueries in conditions on records

-- expect: PRIV-1006
select count(*) from victims where exists (select 1 from cases c where c.province = victims.province)
-- expect: PRIV-1006
select count(*) from victims where province = (select min(province) from (select distinct province from cases) t)
-- expect: PRIV-1006
select count(*) from victims where year > all (select year from cases group by year)
-- expect: PRIV-1003
select count(*) from victims where province in (select code from reference.province)
-- expect: PRIV-1003
select count(*) from victims where exists (select 1 from reference.province p where p.code = victims.province)
-- expect: PRIV-1003
select count(*) from victims where province = (select max(code) from reference.province)
-- expect: PRIV-1003
select code, (select count(*) from victims v where v.province = p.code) from reference.province p
-- expect: PRIV-1006
select province, count(*) from victims group by province having count(*) > (select count(*) from cases c where c.province = victims.province)
-- expect: PRIV-1006
select province, (select count(*) from accused a where a.province = t.province) from (select province, count(*) n from victims group by 1) t
-- expect: PRIV-1003
select 1 where exists (select 1 from victims)
-- expect: PRIV-1003
select (select sex from victims limit 1)
-- expect: PRIV-1003
select 'F' in (select sex from victims)
-- expect: PRIV-1003
select count(*) filter (where province in (select code from reference.province)) from victims
-- expect: PRIV-1003
select count(*) from victims group by (select 1)

-- hidden columns

-- expect: PRIV-1002
select person_id from victims
-- expect: PRIV-1002
select person_id, count(*) from victims group by person_id
-- expect: PRIV-1002
select count(*) from victims where person_id = 'x'
-- expect: PRIV-1002
select count(person_id) from victims
-- expect: PRIV-1002
select min(person_id), max(case_id) from victims
-- expect: PRIV-1002
select distinct agency from victims
-- expect: PRIV-1002
select count(*) filter (where agency = 'POL-PB') from victims
-- expect: PRIV-1002
select sum(case when agency = 'POL-PB' then 1 else 0 end) from victims
-- expect: PRIV-1002
select case when case_id is null then 'a' else 'b' end c, count(*) from victims group by 1
-- expect: PRIV-1002
select count(*) from (select person_id as sex from victims) t where sex = 'F'
-- expect: PRIV-1002
select x, count(*) from (select agency as x from victims) t group by x
-- expect: PRIV-1002
select count(distinct case when sex = 'F' then person_id end) from victims
-- expect: PRIV-1002
select count(distinct coalesce(person_id, '_X')) from victims
-- expect: PRIV-1002
select count(*) from victims where agency is not null
-- expect: PRIV-1002
select count(*) from victims where agency in ('POL-PB', 'FIA')
-- expect: PRIV-1002
select count(*) from victims where agency between 'A' and 'Z'
-- expect: PRIV-1002
select count(*) from victims group by rollup (agency)
-- expect: PRIV-1011
select count(distinct person_id, case_id) from victims

-- expressions as hashes and casts

-- expect: PRIV-1007
select count(*) from victims where substr(province, 4, 1) = 'P'
-- expect: PRIV-1007
select upper(sex), count(*) from victims group by 1
-- expect: PRIV-1007
select count(*) from victims where floor(year / 10) = 202
-- expect: PRIV-1003
select count(*) from victims where year / 10 = 202
-- expect: PRIV-1003
select count(*) from victims where year % 2 = 0
-- expect: PRIV-1003
select year % 2, count(*) from victims group by 1
-- expect: PRIV-1003
select count(*) from victims where cast(year as text) = '2024'
-- expect: PRIV-1003
select count(*) from victims where try_cast(sex as bigint) is null
-- expect: PRIV-1003
select count(*) from victims where province || sex = 'PK-PBF'
-- expect: PRIV-1003
select count(*) from victims where province like 'PK-%'
-- expect: PRIV-1003
select count(*) from victims where (sex = 'F') is true
-- expect: PRIV-1003
select count(*) from victims where (sex = 'F') = (province = 'PK-PB')
-- expect: PRIV-1003
select count(*) from victims where true
-- expect: PRIV-1003
select count(*) from victims where 1 = 1
-- expect: PRIV-1003
select count(*) from victims where province = place_exploited_province
-- expect: PRIV-1003
select count(*) from victims where case when sex = 'F' then province else 'PK-PB' end = 'PK-PB'
-- expect: PRIV-1003
select case when sex = 'F' then province else 'other' end, count(*) from victims group by 1
-- expect: PRIV-1003
select case when sex = 'F' then 'a' when province = 'PK-PB' then 'b' else 'c' end, count(*) from victims group by 1
-- expect: PRIV-1003
select count(*) from victims where sex is distinct from 'F'
-- expect: PRIV-1003
select count(*) from victims where not (sex = 'F' and province = 'PK-PB')
-- expect: PRIV-1003
select count(*) from victims where sex > 'F'
-- expect: PRIV-1003
select sex = 'F', count(*) from victims group by 1

-- aggregates that give values back

-- expect: PRIV-1011
select min(sex), max(sex) from victims
-- expect: PRIV-1011
select first_value(sex) from victims
-- expect: PRIV-1011
select bool_or(sex = 'F') from victims
-- expect: PRIV-1011
select median(year) from victims
-- expect: PRIV-1007
select array_agg(sex) from victims
-- expect: PRIV-1007
select string_agg(sex, ',') from victims
-- expect: PRIV-1007
select approx_distinct(person_id) from victims
-- expect: PRIV-1011
select sum(year) from victims
-- expect: PRIV-1011
select sum(1) from victims
-- expect: PRIV-1011
select avg(case when sex = 'F' then 1.0 else 0.0 end) from victims
-- expect: PRIV-1011
select sum(case when sex = 'F' then 1 when sex = 'M' then 100 else 0 end) from victims
-- expect: PRIV-1011
select sum(case when sex = 'F' then -1 else 0 end) from victims
-- expect: PRIV-1011
select count(sex, province) from victims
-- expect: PRIV-1011
select var(year), stddev(year), corr(year, year) from victims
-- expect: PRIV-1011
select sum_visible(year) from victims

-- names

-- expect: ok
with victims as (select * from reference.sex) select count(*) from victims
-- expect: ok
with v01 as (select province, count(*) n from victims group by 1) select * from v01
-- expect: PRIV-1003
with reference as (select * from victims) select * from reference
-- expect: PRIV-1003
select * from "victims"
-- expect: PRIV-1003
select * from "Victims"
-- expect: PRIV-1003
select * from VICTIMS
-- expect: PRIV-1003
select v.* from protected.victims as v
-- expect: PRIV-1003
select * from amanat.protected.victims
-- expect: PRIV-1001
select count(*) from protected.victim
-- expect: unknown_table
select count(*) from marts.victims
-- expect: unknown_table
select count(*) from vіctims
-- expect: unknown_table
select count(*) from victims​
-- expect: unknown_table
select count(*) from released_1
-- expect: unknown_table
select n from (select count(*) n from victims) t, released_1
-- expect: ok
with released_1 as (select 7 as column_0) select * from released_1, (select count(*) n from victims) t
-- expect: unknown_column
select column_0 from (select count(*) n from victims) t
-- expect: unknown_column
select sex, count(*) from victims group by rollup (sex) having "__grouping_id" > 0
-- expect: PRIV-1002
select count(*) from victims where "agency" = 'x'
-- expect: unknown_column
select count(*) from victims where "Agency" = 'x'
-- expect: unknown_column
select count(*) from victims where sid = 1
-- expect: unknown_table
select * from pg_catalog.pg_class, victims
-- expect: ok
select table_name from information_schema.tables where table_name = 'victims'

-- levels of detail

-- expect: PRIV-1008
select sex, province, age_group, scope, status, count(*) from victims group by 1, 2, 3, 4, 5
-- expect: PRIV-1008
select sex, province, age_group, count(*) from victims where scope = 'domestic' and status = 'possible' and year = 2024 group by 1, 2, 3
-- expect: PRIV-1012
select citizenship, month, count(*) from victims group by 1, 2
-- expect: PRIV-1012
select citizenship, quarter, count(*) filter (where citizenship = 'AF' and year = 2024) from victims group by 1, 2
-- expect: PRIV-1013
select sex, province, age_group, scope, status, count(*) from victims group by cube (sex, province, age_group, scope, status)
-- expect: PRIV-1013
select sex, province, count(*) from victims group by rollup (sex, province), rollup (scope, status), rollup (age_group)
-- expect: PRIV-1008
select count(*) from victims where citizenship not in ('PK', 'AF')
-- expect: PRIV-1015
select count(*) from victims where exploitation is not null
-- expect: PRIV-1015
select count(exploitation) from victims
-- expect: PRIV-1015
select count(*) from victims where exploitation = 'sexual' and exploitation = 'forced_labour'
-- expect: PRIV-1015
select case when exploitation = 'sexual' then 'a' else 'b' end, count(*) from victims group by 1
-- expect: PRIV-1015
select count(*) from victims where not exploitation = 'sexual'
-- expect: PRIV-1015
select sum(case when exploitation_form in ('sexual', 'other') then 0 else 1 end) from victims
-- expect: PRIV-1015
select count(case when exploitation_form = 'sexual' then null when exploitation_form = 'other' then 1 end) from victims
-- expect: PRIV-1015
select count(*) from (select case when exploitation_form = 'sexual' then 'a' else 'b' end g from victims) t where g = 'b'
-- expect: ok
select sum(case when exploitation in ('sexual', 'other') then 1 else 0 end) from victims
-- expect: PRIV-1015
select s.act, count(*) from judgments j join reference.section s on j.section = s.code group by 1
-- expect: ok
select count(*) from judgments j join reference.section s on j.section = s.code where s.act = 'PTPA'
-- expect: PRIV-1015
select count(*) from victims where exploitation not in ('sexual')
-- expect: PRIV-1014
select case when age_group = 'child' then 'a' when age_group = 'adult' then 'b' end, count(*) from victims group by 1
-- expect: PRIV-1008
select year, fiscal_year, count(*) from victims group by 1, 2
-- expect: PRIV-1004
select count(*) from victims where year = 1990
-- expect: PRIV-1004
select count(*) from victims where month >= '2024-01-15'
-- expect: PRIV-1004
select count(*) from victims where month = date '2024-02-02'
-- expect: PRIV-1004
select count(*) from victims where sex = NULL
-- expect: PRIV-1004
select count(*) from victims where sex = 1
-- expect: PRIV-1004
select count(*) from victims where year = 2024.5
-- expect: PRIV-1004
select priv_level(sector, 'province'), count(*) from victims group by 1
-- expect: PRIV-1007
select extract(week from month), count(*) from victims group by 1
-- expect: PRIV-1007
select date_trunc('week', month), count(*) from victims group by 1
-- expect: PRIV-1007
select priv_level(t.province, 'province') from (select province, count(*) n from victims group by 1) t

-- statements

-- expect: PRIV-1010
explain select count(*) from victims
-- expect: PRIV-1010
insert into victims values (1)
-- expect: PRIV-1010
delete from victims
-- expect: PRIV-1010
create table x as select * from victims
-- expect: PRIV-1010
describe victims
-- expect: PRIV-1010
prepare p as select count(*) from victims
-- expect: one_statement
select count(*) from victims; drop table victims
-- expect: construct
with recursive r as (select count(*) n from victims union all select n + 1 from r) select * from r
-- expect: construct
select * from victims tablesample (10)
-- expect: construct
select count(*) from victims for update
-- expect: construct
select count(*) from lateral (select * from victims) t
-- expect: PRIV-1016
select count(*) from victims as known on '2020-12-31' where year = 2024
-- expect: PRIV-1016
select count(*) from protected.victims for system_time as of date '9999-12-31' where year = 2024
-- expect: PRIV-1016
select a.n - b.n from (select count(*) as n from victims as known on '2020-12-31' where year = 2024) a, (select count(*) as n from victims where year = 2024) b
-- expect: PRIV-1016
with t as (select province, count(*) n from victims as known on '0001-01-01' where year = 2024 group by province) select * from t

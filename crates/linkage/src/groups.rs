//! Who is together so far: union and find over rows, with the members of each group at hand.

/// Groups of rows.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    above: Vec<u32>,
    /// The next member of the same group, in a ring.
    next: Vec<u32>,
    size: Vec<u32>,
}

impl Groups {
    /// Each row alone.
    pub(crate) fn new(rows: usize) -> Self {
        let alone: Vec<u32> = (0..rows as u32).collect();
        Self { above: alone.clone(), next: alone, size: vec![1; rows] }
    }

    /// The row that stands for the group of a row.
    pub(crate) fn find(&mut self, mut row: u32) -> u32 {
        while self.above[row as usize] != row {
            self.above[row as usize] = self.above[self.above[row as usize] as usize];
            row = self.above[row as usize];
        }
        row
    }

    /// How many are in the group of a row.
    pub(crate) fn size(&mut self, row: u32) -> usize {
        let root = self.find(row);
        self.size[root as usize] as usize
    }

    /// Everybody in the group of a row, from it on.
    pub(crate) fn members(&self, row: u32) -> impl Iterator<Item = u32> + '_ {
        let (mut at, mut over) = (row, false);
        std::iter::from_fn(move || {
            let member = (!over).then_some(at)?;
            at = self.next[at as usize];
            over = at == row;
            Some(member)
        })
    }

    /// Makes one group of two; false if they are one already.
    pub(crate) fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return false;
        }
        let (small, large) = if self.size[a as usize] < self.size[b as usize] { (a, b) } else { (b, a) };
        self.above[small as usize] = large;
        self.size[large as usize] += self.size[small as usize];
        self.next.swap(a as usize, b as usize);
        true
    }
}

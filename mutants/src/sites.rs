//! Where in the text a mistake is: cargo-mutants tells where it begins, the syntax tells what belongs to it.

use std::collections::HashMap;
use std::error::Error;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Attribute, BinOp, Block, Expr, Meta, Pat};

use crate::list::{Genre, Mutant};
use crate::rewrite::{Place, Shape};
use crate::tree::Tree;

/// The places of each file.
pub(crate) type Places = HashMap<String, Vec<Place>>;

/// Where the mistakes are.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) places: Places,
    /// Those in what is computed by the compiler, when a switch is not known.
    pub(crate) constant: Vec<usize>,
    /// Those that the syntax or the cover of a `match` forbids, and those in what is not in this build.
    pub(crate) unviable: Vec<usize>,
}

/// Finds the places of all mistakes.
pub(crate) fn find(tree: &Tree, mutants: &[Mutant]) -> Result<Found, Box<dyn Error>> {
    let mut starts: HashMap<&str, Starts> = HashMap::new();
    for (id, mutant) in mutants.iter().enumerate() {
        let offset = mutant
            .span
            .start
            .offset_in(tree.text(&mutant.file))
            .ok_or(&*mutant.name)?;
        starts
            .entry(&mutant.file)
            .or_default()
            .entry((mutant.genre, offset))
            .or_default()
            .push(id);
    }
    let mut found = Found::default();
    for (file, starts) in starts {
        let places = find_in(tree.text(file), mutants, starts, &mut found)?;
        found.places.insert(file.to_owned(), places);
    }
    Ok(found)
}

fn find_in(
    text: &str,
    mutants: &[Mutant],
    starts: Starts,
    found: &mut Found,
) -> Result<Vec<Place>, Box<dyn Error>> {
    let places = Vec::new();
    let mut finder = Finder {
        text,
        mutants,
        starts,
        places,
        chain: None,
        in_constant: 0,
        left_out: 0,
        found,
    };
    finder.visit_file(&syn::parse_file(text)?);
    if let Some(id) = finder.starts.values().flatten().next() {
        return Err(format!("not found: {}", mutants[*id].name).into());
    }
    Ok(finder.places)
}

/// The mistakes of a kind that begin at an offset.
type Starts = HashMap<(Genre, usize), Vec<usize>>;

struct Finder<'a> {
    text: &'a str,
    mutants: &'a [Mutant],
    /// Those that are not found yet.
    starts: Starts,
    places: Vec<Place>,
    /// The operators and operands that the next one is part of, without brackets between them.
    chain: Option<Range<usize>>,
    in_constant: usize,
    /// In how many items that are not in this build.
    left_out: usize,
    found: &'a mut Found,
}

impl Finder<'_> {
    /// Notes what of a kind begins at `start`, with what is to be in the place of `range` then; without a
    /// shape it cannot be.
    fn note(
        &mut self,
        (genre, start): (Genre, usize),
        range: Range<usize>,
        shape: Option<Shape>,
        text: impl Fn(&str) -> String,
    ) {
        let Some(ids) = self.starts.remove(&(genre, start)) else {
            return;
        };
        if self.left_out > 0 {
            self.found.unviable.extend(ids);
            return;
        }
        if self.in_constant > 0 {
            self.found.constant.extend(ids);
            return;
        }
        let Some(shape) = shape else {
            self.found.unviable.extend(ids);
            return;
        };
        let alternatives = ids
            .into_iter()
            .map(|id| (id, text(&self.mutants[id].replacement)))
            .collect();
        self.places.push(Place {
            range,
            shape,
            alternatives,
        });
    }

    fn function(&mut self, block: &Block) {
        if let Some(first) = block.stmts.first() {
            let start = first.span().byte_range().start;
            self.note(
                (Genre::FnValue, start),
                start..start,
                Some(Shape::Body),
                str::to_owned,
            );
        }
    }

    fn arm(&mut self, arm: &Arm, new_guard: Option<Shape>) {
        let start = (Genre::MatchArm, arm.span().byte_range().start);
        if let Pat::Guard(guarded) = &arm.pat {
            let guard = guarded.guard.span().byte_range();
            self.note(start, guard.clone(), Some(Shape::Guard), |_| String::new());
            let genre = (Genre::MatchArmGuard, guard.start);
            self.note(genre, guard, Some(Shape::Value), str::to_owned);
        } else {
            let end = arm.pat.span().byte_range().end;
            self.note(start, end..end, new_guard, |_| String::new());
        }
    }

    /// An operand of what is at `chain`.
    fn operand(&mut self, operand: &Expr, chain: Range<usize>) {
        self.chain = matches!(operand, Expr::Binary(_)).then_some(chain);
        self.visit_expr(operand);
    }

    /// Visits an item with these attributes.
    fn item(&mut self, attributes: &[Attribute], visit: impl FnOnce(&mut Self)) {
        let left_out = usize::from(attributes.iter().any(leaves_out));
        self.left_out += left_out;
        visit(self);
        self.left_out -= left_out;
    }

    fn constant(&mut self, constant: bool, visit: impl FnOnce(&mut Self)) {
        self.in_constant += usize::from(constant);
        visit(self);
        self.in_constant -= usize::from(constant);
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.item(&item.attrs, |this| visit::visit_item_mod(this, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.item(&item.attrs, |this| visit::visit_item_impl(this, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.item(&item.attrs, |this| {
            this.constant(item.sig.constness.is_some(), |this| {
                this.function(&item.block);
                visit::visit_item_fn(this, item);
            });
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.item(&item.attrs, |this| {
            this.constant(item.sig.constness.is_some(), |this| {
                this.function(&item.block);
                visit::visit_impl_item_fn(this, item);
            });
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant(true, |this| visit::visit_item_const(this, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constant(true, |this| visit::visit_impl_item_const(this, item));
    }

    fn visit_expr_const(&mut self, expr: &'ast syn::ExprConst) {
        self.constant(true, |this| visit::visit_expr_const(this, expr));
    }

    fn visit_type_array(&mut self, array: &'ast syn::TypeArray) {
        self.constant(true, |this| visit::visit_type_array(this, array));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constant(true, |this| visit::visit_item_static(this, item));
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        // Another operator may bind tighter, so that the whole of them is read anew.
        let range = self
            .chain
            .take()
            .unwrap_or_else(|| binary.span().byte_range());
        let operator = binary.op.span().byte_range();
        let (left, right) = (range.start..operator.start, operator.end..range.end);
        let source = self.text;
        // In a chain there is no `||`, and no brackets around what binds names.
        let in_chain = chained(&binary.op) && binds(&binary.left) | binds(&binary.right);
        let shape = (!in_chain).then_some(Shape::Value);
        let genre = (Genre::BinaryOperator, operator.start);
        self.note(genre, range.clone(), shape, |other| {
            format!("{}{other}{}", &source[left.clone()], &source[right.clone()])
        });
        self.operand(&binary.left, range.clone());
        self.operand(&binary.right, range);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let (range, operator) = (unary.span().byte_range(), unary.op.span().byte_range());
        let operand = self.text[operator.end..range.end].to_owned();
        let genre = (Genre::UnaryOperator, operator.start);
        self.note(genre, range, Some(Shape::Value), |_| operand.clone());
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        // Else an arm with a guard covers nothing, and one that is left out is missed by the compiler.
        let others_covered = expr.arms.iter().any(|arm| matches!(arm.pat, Pat::Wild(_)));
        let new_guard = others_covered.then_some(Shape::NewGuard);
        for arm in &expr.arms {
            self.arm(arm, new_guard);
        }
        visit::visit_expr_match(self, expr);
    }

    fn visit_expr_struct(&mut self, expr: &'ast syn::ExprStruct) {
        let range = expr.span().byte_range();
        let source = self.text;
        for field in &expr.fields {
            let field = field.span().byte_range();
            let behind = &source[field.end..range.end];
            let rest = behind.trim_start().strip_prefix(',').unwrap_or(behind);
            let without = format!("{}{rest}", &source[range.start..field.start]);
            let genre = (Genre::StructField, field.start);
            self.note(genre, range.clone(), Some(Shape::Value), |_| {
                without.clone()
            });
        }
        visit::visit_expr_struct(self, expr);
    }
}

/// Whether an attribute leaves its item out of this build, which is on Unix, with all features and without the models.
fn leaves_out(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    let condition = list.tokens.to_string().replace(' ', "");
    let absent = [
        "startstop_loom",
        "windows",
        "not(unix)",
        "not(feature=",
        "all(not(feature=",
        "all(test,startstop_loom",
    ];
    list.path.is_ident("cfg") && absent.iter().any(|absent| condition.starts_with(absent))
}

fn chained(operator: &BinOp) -> bool {
    matches!(operator, BinOp::And(_))
}

/// Whether it is a condition that binds names, by `let`.
fn binds(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => chained(&binary.op) && binds(&binary.left) | binds(&binary.right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Starts, find_in};
    use crate::list::{Genre, read};
    use crate::rewrite::Place;

    /// Finds the place of one mistake: another operator in place of the first that begins like this.
    fn replaced(text: &str, operator: &str, other: &str) -> (Vec<Place>, Found) {
        let point = r#"{"line": 1, "column": 1}"#;
        let mutant = r#""file": "f", "name": "n", "genre": "BinaryOperator", "replacement""#;
        let span = format!(r#"{{"start": {point}, "end": {point}}}"#);
        let list = format!(r#"[{{{mutant}: "{other}", "span": {span}}}]"#);
        let mutants = read(&list).expect("it is a list");
        let start = text.find(operator).expect("it is there");
        let starts = Starts::from([((Genre::BinaryOperator, start), vec![0])]);
        let mut found = Found::default();
        let places = find_in(text, &mutants, starts, &mut found).expect("it is found");
        (places, found)
    }

    #[test]
    fn an_item_that_is_not_in_this_build_has_no_mistakes() {
        let found_in = |condition: &str| {
            let text = format!("#[cfg({condition})]\nfn f() -> bool {{ a == b }}");
            let (places, found) = replaced(&text, "==", "!=");
            (places.len(), found.unviable)
        };
        assert_eq!(found_in("not(startstop_loom)"), (1, vec![]));
        assert_eq!(found_in("feature = \"tracing\""), (1, vec![]));
        for absent in [
            "startstop_loom",
            "windows",
            "not(unix)",
            "not(feature = \"tracing\")",
        ] {
            assert_eq!(found_in(absent), (0, vec![0]), "{absent}");
        }
    }

    #[test]
    fn an_operator_is_replaced_in_all_that_it_may_bind_anew() {
        let text = "fn f() -> bool { (a == b && c) && d }";
        let becomes = |operator: &str| {
            let (places, _) = replaced(text, operator, "||");
            (
                text[places[0].range.clone()].to_owned(),
                places[0].alternatives[0].1.clone(),
            )
        };
        let inner = "a == b && c";
        assert_eq!(becomes("=="), (inner.to_owned(), "a || b && c".to_owned()));
        assert_eq!(
            becomes("&& c"),
            (inner.to_owned(), "a == b || c".to_owned())
        );
        let outer = "(a == b && c) && d";
        assert_eq!(
            becomes("&& d"),
            (outer.to_owned(), "(a == b && c) || d".to_owned())
        );
    }
}

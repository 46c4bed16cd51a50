//! Short English names of the chapters of the Harmonized System, for want of imported ones: in our own words,
//! for a reader's eye and no customs decision. They say the same for every revision.

use proto::Code;

/// The names of chapters 01 to 97, in order. Chapter 77 is kept free by the System itself.
const CHAPTERS: [&str; 97] = [
    "Live animals",
    "Meat",
    "Fish and seafood",
    "Dairy, eggs, honey",
    "Other animal products",
    "Live plants and flowers",
    "Vegetables",
    "Fruit and nuts",
    "Coffee, tea, spices",
    "Cereals",
    "Flour, malt, starches",
    "Oilseeds, seeds, fodder",
    "Gums and resins",
    "Plaiting materials",
    "Animal and vegetable fats and oils",
    "Prepared meat and fish",
    "Sugar and sweets",
    "Cocoa and chocolate",
    "Cereal, flour and milk preparations",
    "Preparations of vegetables and fruit",
    "Other food preparations",
    "Beverages and vinegar",
    "Food residues and animal feed",
    "Tobacco",
    "Salt, sulphur, stone, cement",
    "Ores, slag, ash",
    "Mineral fuels and oils",
    "Inorganic chemicals",
    "Organic chemicals",
    "Pharmaceuticals",
    "Fertilisers",
    "Dyes, paints, inks",
    "Perfumery and cosmetics",
    "Soap, waxes, polishes",
    "Proteins, glues, enzymes",
    "Explosives and matches",
    "Photographic goods",
    "Other chemical products",
    "Plastics",
    "Rubber",
    "Hides, skins, leather",
    "Leather goods and bags",
    "Furs",
    "Wood and charcoal",
    "Cork",
    "Straw and basketware",
    "Wood pulp and waste paper",
    "Paper and board",
    "Books and printed matter",
    "Silk",
    "Wool and animal hair",
    "Cotton",
    "Other vegetable fibres",
    "Man-made filaments",
    "Man-made staple fibres",
    "Wadding, felt, ropes",
    "Carpets",
    "Special fabrics and lace",
    "Coated and technical textiles",
    "Knitted fabrics",
    "Knitted clothing",
    "Clothing, not knitted",
    "Other textile articles",
    "Footwear",
    "Headgear",
    "Umbrellas and walking sticks",
    "Feathers and artificial flowers",
    "Articles of stone and cement",
    "Ceramics",
    "Glass",
    "Pearls, gems, precious metals",
    "Iron and steel",
    "Articles of iron or steel",
    "Copper",
    "Nickel",
    "Aluminium",
    "Kept free for later use",
    "Lead",
    "Zinc",
    "Tin",
    "Other base metals",
    "Tools and cutlery",
    "Other articles of base metal",
    "Machinery and mechanical appliances",
    "Electrical machinery and electronics",
    "Railway vehicles and track",
    "Vehicles other than railway",
    "Aircraft and spacecraft",
    "Ships and boats",
    "Optical, measuring, medical instruments",
    "Clocks and watches",
    "Musical instruments",
    "Arms and ammunition",
    "Furniture, bedding, lamps",
    "Toys, games, sports goods",
    "Other manufactured articles",
    "Art and antiques",
];

/// Not a chapter of the System; publishers put there what they do not specify.
const NOT_SPECIFIED: &str = "Not specified by kind";

/// The name of a chapter, of two digits.
pub(crate) fn name(code: Code) -> Option<&'static str> {
    let is_chapter = code.level() == 2;
    let number: usize = code.as_str().parse().ok().filter(|_| is_chapter)?;
    match number {
        99 => Some(NOT_SPECIFIED),
        number => CHAPTERS.get(number.checked_sub(1)?).copied(),
    }
}

/// All chapters of the System with their names, in order.
pub(crate) fn all() -> impl Iterator<Item = (Code, &'static str)> {
    let numbered = CHAPTERS.iter().zip(1..);
    numbered.filter_map(|(name, number)| Some((format!("{number:02}").parse().ok()?, *name)))
}

#[cfg(test)]
mod tests {
    use super::{all, name};

    #[test]
    fn each_chapter_has_its_name() {
        assert_eq!(all().count(), 97);
        for (code, expected) in [
            ("01", "Live animals"),
            ("27", "Mineral fuels and oils"),
            ("74", "Copper"),
            ("78", "Lead"),
            ("87", "Vehicles other than railway"),
            ("97", "Art and antiques"),
            ("99", "Not specified by kind"),
        ] {
            assert_eq!(name(code.parse().unwrap()), Some(expected));
        }
        for nameless in ["00", "98", "8703", "TOTAL"] {
            assert_eq!(name(nameless.parse().unwrap()), None, "{nameless}");
        }
    }
}

package ssb

import (
	"fmt"
	"math/bits"

	"github.com/olapd/olapd/bench/random"
)

// dimensions are the texts of customers, suppliers and parts: what a row holds of them, with
// its tabs.
type dimensions struct {
	customers, suppliers, parts []string
	dates                       [allDays]string
}

// Sizes at scale factor 1.
const (
	customerCount = 30_000
	supplierCount = 2_000
	partCount     = 200_000
)

func newDimensions(rows int64) *dimensions {
	scale := max(1, int(rows/ScaleRows))
	d := &dimensions{
		customers: make([]string, customerCount*scale),
		suppliers: make([]string, supplierCount*scale),
		parts:     make([]string, partCount*bits.Len(uint(scale))),
		dates:     dateTexts(),
	}
	r := random.New(1)
	for i := range d.customers {
		d.customers[i] = party("Customer", i, &r) + "\t" + pick(&r, segments)
	}
	for i := range d.suppliers {
		d.suppliers[i] = party("Supplier", i, &r)
	}
	for i := range d.parts {
		d.parts[i] = part(&r)
	}
	return d
}

// party is a customer's or supplier's name, address, city, nation, region and phone.
func party(kind string, i int, r *random.Stream) string {
	nation := int(r.Below(uint32(len(nations))))
	name := nations[nation]
	city := fmt.Sprintf("%-9.9s%d", name, r.Below(10))
	phone := fmt.Sprintf("%d-%03d-%03d-%04d", 10+nation, 100+r.Below(900), 100+r.Below(900), r.Below(10_000))
	return fmt.Sprintf("%s#%09d\t%s\t%s\t%s\t%s\t%s", kind, i+1, address(r), city, name, regions[nation/5], phone)
}

// address is 10 to 25 letters and digits.
func address(r *random.Stream) string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,"
	b := make([]byte, 10+r.Below(16))
	for i := range b {
		b[i] = letters[r.Below(uint32(len(letters)))]
	}
	return string(b)
}

// part is a part's name, manufacturer, category, brand, color, type, size and container.
func part(r *random.Stream) string {
	maker, category, brand := 1+r.Below(5), 1+r.Below(5), 1+r.Below(40)
	color := pick(r, colors)
	return fmt.Sprintf("%s %s\tMFGR#%d\tMFGR#%d%d\tMFGR#%d%d%d\t%s\t%s %s %s\t%d\t%s %s", color, pick(r, colors),
		maker, maker, category, maker, category, brand, color,
		pick(r, finishes), pick(r, coatings), pick(r, metals), 1+r.Below(50), pick(r, sizes), pick(r, containers))
}

func pick(r *random.Stream, from []string) string { return from[r.Below(uint32(len(from)))] }

// nations are in the order of their regions, five each.
var (
	regions = []string{"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"}
	nations = []string{
		"ALGERIA", "ETHIOPIA", "KENYA", "MOROCCO", "MOZAMBIQUE",
		"ARGENTINA", "BRAZIL", "CANADA", "PERU", "UNITED STATES",
		"CHINA", "INDIA", "INDONESIA", "JAPAN", "VIETNAM",
		"FRANCE", "GERMANY", "ROMANIA", "RUSSIA", "UNITED KINGDOM",
		"EGYPT", "IRAN", "IRAQ", "JORDAN", "SAUDI ARABIA",
	}
	segments   = []string{"AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"}
	priorities = []string{"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECI", "5-LOW"}
	shipModes  = []string{"AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"}
	finishes   = []string{"ECONOMY", "LARGE", "MEDIUM", "PROMO", "SMALL", "STANDARD"}
	coatings   = []string{"ANODIZED", "BRUSHED", "BURNISHED", "PLATED", "POLISHED"}
	metals     = []string{"BRASS", "COPPER", "NICKEL", "STEEL", "TIN"}
	sizes      = []string{"JUMBO", "LG", "MED", "SM", "WRAP"}
	containers = []string{"BAG", "BOX", "CAN", "CASE", "DRUM", "JAR", "PACK", "PKG"}
	colors     = []string{
		"almond", "amber", "apricot", "aqua", "ash", "azure", "beige", "bisque", "black", "blue", "bronze", "brown", "buff",
		"burgundy", "canary", "caramel", "carmine", "celadon", "cerise", "charcoal", "cherry", "chestnut", "chocolate", "cobalt",
		"copper", "coral", "cream", "crimson", "cyan", "denim", "ebony", "ecru", "emerald", "fawn", "flax", "forest", "fuchsia",
		"ginger", "gold", "grape", "gray", "green", "hazel", "heather", "honey", "indigo", "ivory", "jade", "jet", "khaki",
		"lavender", "lemon", "lilac", "lime", "linen", "magenta", "mahogany", "maroon", "mauve", "mint", "moss", "mustard", "navy",
		"ocher", "olive", "onyx", "orange", "orchid", "peach", "pearl", "pink", "plum", "purple", "red", "rose", "ruby", "russet",
		"rust", "saffron", "sage", "salmon", "sand", "scarlet", "sepia", "sienna", "silver", "slate", "tan", "teal", "violet",
		"wheat", "white",
	}
)

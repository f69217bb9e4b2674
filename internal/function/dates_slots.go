package function

import (
	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(&Scalar{Name: "timeSlots", MinArgs: 2, MaxArgs: 3, ConstArgs: []int{2}, Resolve: resolveTimeSlots, Eval: evalTimeSlots, Family: "dates",
		Doc: "Returns the starts of the slots of time (30 minutes, or the third argument's seconds) that a duration in seconds from a start touches.", Example: "timeSlots(toDateTime('2012-01-01 12:20:00', 'UTC'), toUInt32(600)) → ['2012-01-01 12:00:00','2012-01-01 12:30:00']"})
}

// defaultSlot is half an hour, in seconds.
const defaultSlot = 1800

func resolveTimeSlots(_ *Env, args []Arg) (*types.Type, error) {
	switch t := args[0].Type; {
	case t.Kind == types.DateTime && args[1].Type.Kind == types.UInt32 && (len(args) < 3 || isPlainInt(args[2].Type)):
		return types.NewArray(t), nil
	case t.Kind == types.DateTime64 && args[1].Type.Kind == types.Decimal && (len(args) < 3 || args[2].Type.Kind == types.Decimal):
		return types.NewArray(t), nil
	case !t.IsDateTime():
		return nil, illegal("timeSlots", 0, t)
	case len(args) == 3 && !isPlainInt(args[2].Type) && args[2].Type.Kind != types.Decimal:
		return nil, illegal("timeSlots", 2, args[2].Type)
	}
	return nil, illegal("timeSlots", 1, args[1].Type)
}

// slotTicks reads an argument of seconds in ticks of a scale, cut to a whole number of the argument's own.
func slotTicks(c *Call, i, scale int) broadcast[int64] {
	t := c.Types[i]
	data := append([]int64(nil), numsOf[int64](c.Args[i])...)
	own := 0
	if t.Kind == types.Decimal {
		own = t.Scale
	}
	for k := range data {
		if own > scale {
			data[k] /= pow10Int(own - scale)
		} else {
			data[k] *= pow10Int(scale - own)
		}
	}
	return newBroadcast(data, c.Rows)
}

func evalTimeSlots(c *Call) (column.Vector, error) {
	elem := c.Result.Elem()
	scale := elem.Scale
	start, duration := numArg[int64](c.Args[0], c.Rows), slotTicks(c, 1, scale)
	slot := defaultSlot * pow10Int(scale)
	if len(c.Args) > 2 {
		slot = slotTicks(c, 2, scale).at(0)
	}
	if slot <= 0 {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Third argument for function timeSlots must be greater than zero")
	}
	out := column.New(c.Result, c.Rows).(*column.Array)
	var ticks []int64
	for i := range c.Rows {
		from, to := civil.FloorDiv(start.at(i), slot), civil.FloorDiv(start.at(i)+duration.at(i), slot)
		if int64(len(ticks))+to-from > maxArrayLength {
			return nil, tooLargeArray("timeSlots", to-from)
		}
		if err := c.fits(8 * (int64(len(ticks)) + to - from)); err != nil {
			return nil, err
		}
		for ; from <= to; from++ {
			ticks = append(ticks, from*slot)
		}
		out.Off = append(out.Off, uint32(len(ticks)))
	}
	out.Elem = narrow(elem, ticks)
	if elem.Kind == types.DateTime64 {
		out.Elem = newNum(elem, ticks)
	}
	return out, nil
}

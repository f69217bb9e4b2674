package ast

import "reflect"

var nodeType = reflect.TypeFor[Node]()

// Walk calls visit for n and then, if that returned true, for each node below
// it, in the order of the fields of their types. A nil n is not visited.
func Walk(n Node, visit func(Node) bool) {
	if n == nil || reflect.ValueOf(n).Kind() == reflect.Pointer && reflect.ValueOf(n).IsNil() {
		return
	}
	if !visit(n) {
		return
	}
	v := reflect.ValueOf(n)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	walkFields(v, visit)
}

// walkFields visits the nodes held by the struct v.
func walkFields(v reflect.Value, visit func(Node) bool) {
	for i := range v.NumField() {
		walkValue(v.Field(i), visit)
	}
}

func walkValue(v reflect.Value, visit func(Node) bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.Type().Implements(nodeType) {
			Walk(v.Interface().(Node), visit)
			return
		}
		walkValue(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			walkValue(v.Index(i), visit)
		}
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[Range]() {
			walkFields(v, visit)
		}
	}
}

// Rewrite returns e with each expression below it, and then e itself, replaced by what
// f returns for it. Nodes are copied where something below them changed; e is not written to. Subqueries are
// entered. f must not return nil.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	out, _ := rewriteValue(reflect.ValueOf(e), f)
	return out.Interface().(Expr)
}

// RewriteSelect is Rewrite for all expressions of a query.
func RewriteSelect(q *SelectUnion, f func(Expr) Expr) *SelectUnion {
	out, _ := rewriteValue(reflect.ValueOf(q), f)
	return out.Interface().(*SelectUnion)
}

// rewriteValue returns v rewritten, and whether it differs from v.
func rewriteValue(v reflect.Value, f func(Expr) Expr) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return v, false
		}
		out, changed := rewriteValue(v.Elem(), f)
		if !changed {
			return v, false
		}
		return out, true
	case reflect.Pointer:
		return rewritePointer(v, f)
	case reflect.Slice:
		return rewriteSlice(v, f)
	case reflect.Struct:
		return rewriteStruct(v, f)
	}
	return v, false
}

func rewritePointer(v reflect.Value, f func(Expr) Expr) (reflect.Value, bool) {
	if v.IsNil() {
		return v, false
	}
	elem, changed := rewriteValue(v.Elem(), f)
	out := v
	if changed {
		out = reflect.New(v.Type().Elem())
		out.Elem().Set(elem)
	}
	e, ok := out.Interface().(Expr)
	if !ok {
		return out, changed
	}
	if r := f(e); r != e {
		return reflect.ValueOf(r), true
	}
	return out, changed
}

func rewriteSlice(v reflect.Value, f func(Expr) Expr) (reflect.Value, bool) {
	out := v
	for i := range v.Len() {
		elem, changed := rewriteValue(v.Index(i), f)
		if !changed {
			continue
		}
		if out == v {
			out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(out, v)
		}
		setIfFits(out.Index(i), elem)
	}
	return out, out != v
}

func rewriteStruct(v reflect.Value, f func(Expr) Expr) (reflect.Value, bool) {
	out := v
	for i := range v.NumField() {
		field, changed := rewriteValue(v.Field(i), f)
		if !changed {
			continue
		}
		if out == v {
			out = reflect.New(v.Type()).Elem()
			out.Set(v)
		}
		setIfFits(out.Field(i), field)
	}
	return out, out != v
}

// setIfFits stores v unless the place wants another kind of node, such as the
// *Lambda of a transformer or the *Ident of a qualifier: those stay as they are.
func setIfFits(place, v reflect.Value) {
	if v.Type().AssignableTo(place.Type()) {
		place.Set(v)
	}
}

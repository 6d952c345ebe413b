// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// The names of the operations within a program. No program can spell them: a name holds no NUL.
const (
	nameConcat = "\x00concat"
	nameAssign = "\x00assign"
	nameTable  = "\x00table"
	nameIndex  = "\x00index"
)

// metered returns the program with its growing operations as calls: what a .. b, t[k] = v and {} do is counted. The
// functions come as the program's arguments and are kept in local variables, which no program can reach or replace:
//
//	a .. b .. c       concat(a, b, c)
//	t[k] = v          assign(t, k, v)
//	t[k], x = v, w    do local o, i, r, s = t, k, v, w; assign(o, i, r); x = s end
//	{[k] = v}         table(1, {[index(k)] = v})
func metered(statements []ast.Stmt) []ast.Stmt {
	rewriteBlock(statements)
	names := &ast.LocalAssignStmt{Names: []string{nameConcat, nameAssign, nameTable, nameIndex}, Exprs: []ast.Expr{&ast.Comma3Expr{}}}
	names.SetLine(1)
	names.SetLastLine(1)
	names.Exprs[0].SetLine(1)
	names.Exprs[0].SetLastLine(1)
	return append([]ast.Stmt{names}, statements...)
}

func rewriteBlock(statements []ast.Stmt) {
	for i, s := range statements {
		statements[i] = rewriteStatement(s)
	}
}

func rewriteStatement(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		rewriteAll(s.Lhs)
		rewriteAll(s.Rhs)
		return assignment(s)
	case *ast.LocalAssignStmt:
		rewriteAll(s.Exprs)
	case *ast.FuncCallStmt:
		rewriteParts(s.Expr)
	case *ast.DoBlockStmt:
		rewriteBlock(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = rewrite(s.Condition)
		rewriteBlock(s.Stmts)
	case *ast.RepeatStmt:
		rewriteBlock(s.Stmts)
		s.Condition = rewrite(s.Condition)
	case *ast.IfStmt:
		s.Condition = rewrite(s.Condition)
		rewriteBlock(s.Then)
		rewriteBlock(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = rewrite(s.Init), rewrite(s.Limit), rewrite(s.Step)
		rewriteBlock(s.Stmts)
	case *ast.GenericForStmt:
		rewriteAll(s.Exprs)
		rewriteBlock(s.Stmts)
	case *ast.FuncDefStmt:
		rewriteBlock(s.Func.Stmts)
	case *ast.ReturnStmt:
		rewriteAll(s.Exprs)
	}
	return s
}

func rewriteAll(list []ast.Expr) {
	for i, e := range list {
		list[i] = rewrite(e)
	}
}

// rewrite returns what stands in for an expression.
func rewrite(e ast.Expr) ast.Expr {
	if e == nil {
		return nil
	}
	rewriteParts(e)
	switch e := e.(type) {
	case *ast.StringConcatOpExpr:
		return call(e, nameConcat, operands(e)...)
	case *ast.TableExpr:
		named := 0
		for _, field := range e.Fields {
			if field.Key != nil {
				named++
			}
			if _, plain := field.Key.(ast.ConstExpr); field.Key != nil && (!plain || isNumber(field.Key)) {
				field.Key = call(field.Key, nameIndex, field.Key)
			}
		}
		return call(e, nameTable, number(e, named), e)
	}
	return e
}

func isNumber(e ast.Expr) bool {
	_, ok := e.(*ast.NumberExpr)
	return ok
}

// rewriteParts rewrites what an expression is made of.
func rewriteParts(e ast.Expr) {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		e.Object, e.Key = rewrite(e.Object), rewrite(e.Key)
	case *ast.TableExpr:
		for _, field := range e.Fields {
			field.Key, field.Value = rewrite(field.Key), rewrite(field.Value)
		}
	case *ast.FuncCallExpr:
		e.Func, e.Receiver = rewrite(e.Func), rewrite(e.Receiver)
		rewriteAll(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = rewrite(e.Lhs), rewrite(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = rewrite(e.Lhs), rewrite(e.Rhs)
	case *ast.StringConcatOpExpr:
		e.Lhs = rewrite(e.Lhs)
		if next, ok := e.Rhs.(*ast.StringConcatOpExpr); ok {
			rewriteParts(next) // it stays what it is: the chain becomes one call
		} else {
			e.Rhs = rewrite(e.Rhs)
		}
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = rewrite(e.Lhs), rewrite(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = rewrite(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = rewrite(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = rewrite(e.Expr)
	case *ast.FunctionExpr:
		rewriteBlock(e.Stmts)
	}
}

// operands are those of a chain of "..".
func operands(e *ast.StringConcatOpExpr) []ast.Expr {
	list := []ast.Expr{single(e.Lhs)}
	for {
		next, ok := e.Rhs.(*ast.StringConcatOpExpr)
		if !ok {
			return append(list, single(e.Rhs))
		}
		list, e = append(list, single(next.Lhs)), next
	}
}

// single makes an expression that may have several values one with its first.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// assignment is what stands in for an assignment whose parts are rewritten.
func assignment(s *ast.AssignStmt) ast.Stmt {
	if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
		if target, ok := s.Lhs[0].(*ast.AttrGetExpr); ok {
			return assign(s, target.Object, target.Key, s.Rhs[0])
		}
		return s
	}
	before := &ast.LocalAssignStmt{}
	values := &ast.LocalAssignStmt{Exprs: s.Rhs}
	var after []ast.Stmt
	for i, left := range s.Lhs {
		value := temporary("value", i)
		values.Names = append(values.Names, value)
		if target, ok := left.(*ast.AttrGetExpr); ok {
			object, key := temporary("object", i), temporary("key", i)
			before.Names = append(before.Names, object, key)
			before.Exprs = append(before.Exprs, single(target.Object), single(target.Key))
			after = append(after, assign(s, name(s, object), name(s, key), name(s, value)))
			continue
		}
		after = append(after, at(s, &ast.AssignStmt{Lhs: []ast.Expr{left}, Rhs: []ast.Expr{name(s, value)}}))
	}
	if len(before.Names) == 0 {
		return s
	}
	return at(s, &ast.DoBlockStmt{Stmts: append([]ast.Stmt{at(s, before), at(s, values)}, after...)})
}

func temporary(what string, i int) string { return "\x00" + what + string(rune('0'+i)) }

func assign(s ast.Stmt, object, key, value ast.Expr) ast.Stmt {
	return at(s, &ast.FuncCallStmt{Expr: call(s, nameAssign, single(object), single(key), single(value))})
}

func call(at ast.PositionHolder, fn string, args ...ast.Expr) ast.Expr {
	for i := range args {
		args[i] = single(args[i])
	}
	e := &ast.FuncCallExpr{Func: name(at, fn), Args: args, AdjustRet: true}
	e.SetLine(at.Line())
	e.SetLastLine(at.LastLine())
	return e
}

func number(at ast.PositionHolder, n int) ast.Expr {
	e := &ast.NumberExpr{Value: strconv.Itoa(n)}
	e.SetLine(at.Line())
	e.SetLastLine(at.LastLine())
	return e
}

func name(at ast.PositionHolder, text string) ast.Expr {
	e := &ast.IdentExpr{Value: text}
	e.SetLine(at.Line())
	e.SetLastLine(at.LastLine())
	return e
}

func at(place ast.PositionHolder, s ast.Stmt) ast.Stmt {
	s.SetLine(place.Line())
	s.SetLastLine(place.LastLine())
	return s
}

namespace SafeLlama.Data;

/// <summary>An expression of a template.</summary>
internal abstract record JinjaExpression(JinjaPlace Place);

/// <summary>A number, a string, true, false or none.</summary>
internal sealed record JinjaLiteral(JinjaPlace Place, object? Value) : JinjaExpression(Place);

/// <summary>A variable by its name.</summary>
internal sealed record JinjaVariable(JinjaPlace Place, string Name) : JinjaExpression(Place);

/// <summary><c>[a, b]</c>, or <c>(a, b)</c> where it is a tuple.</summary>
internal sealed record JinjaSequence(JinjaPlace Place, IReadOnlyList<JinjaExpression> Items, bool IsTuple)
    : JinjaExpression(Place);

/// <summary><c>{key: value}</c></summary>
internal sealed record JinjaMapping(
    JinjaPlace Place, IReadOnlyList<(JinjaExpression Key, JinjaExpression Value)> Pairs) : JinjaExpression(Place);

/// <summary><c>target.name</c></summary>
internal sealed record JinjaAttribute(JinjaPlace Place, JinjaExpression Target, string Name) : JinjaExpression(Place);

/// <summary><c>target[key]</c></summary>
internal sealed record JinjaIndex(JinjaPlace Place, JinjaExpression Target, JinjaExpression Key)
    : JinjaExpression(Place);

/// <summary><c>target[start:stop:step]</c></summary>
internal sealed record JinjaSlice(
    JinjaPlace Place, JinjaExpression Target, JinjaExpression? Start, JinjaExpression? Stop, JinjaExpression? Step)
    : JinjaExpression(Place);

/// <summary><c>target(arguments)</c></summary>
internal sealed record JinjaCall(JinjaPlace Place, JinjaExpression Target, JinjaArguments Arguments)
    : JinjaExpression(Place);

/// <summary><c>target | name(arguments)</c></summary>
internal sealed record JinjaFilterCall(
    JinjaPlace Place, JinjaExpression Target, string Name, JinjaArguments Arguments) : JinjaExpression(Place);

/// <summary><c>target is name(arguments)</c>, or <c>is not</c>.</summary>
internal sealed record JinjaTestCall(
    JinjaPlace Place, JinjaExpression Target, string Name, JinjaArguments Arguments, bool Negated)
    : JinjaExpression(Place);

/// <summary><c>not a</c>, <c>-a</c> or <c>+a</c>.</summary>
internal sealed record JinjaUnary(JinjaPlace Place, string Operator, JinjaExpression Operand)
    : JinjaExpression(Place);

/// <summary>Arithmetic, <c>and</c>, <c>or</c>.</summary>
internal sealed record JinjaBinary(JinjaPlace Place, string Operator, JinjaExpression Left, JinjaExpression Right)
    : JinjaExpression(Place);

/// <summary><c>a ~ b ~ c</c></summary>
internal sealed record JinjaConcatenation(JinjaPlace Place, IReadOnlyList<JinjaExpression> Items)
    : JinjaExpression(Place);

/// <summary><c>a &lt; b &lt; c</c>: every neighboring pair is compared.</summary>
internal sealed record JinjaComparison(
    JinjaPlace Place, JinjaExpression First, IReadOnlyList<(string Operator, JinjaExpression Operand)> Rest)
    : JinjaExpression(Place);

/// <summary><c>a if test else b</c>; without an else, undefined.</summary>
internal sealed record JinjaConditional(
    JinjaPlace Place, JinjaExpression Test, JinjaExpression Then, JinjaExpression? Otherwise) : JinjaExpression(Place);

/// <summary>The arguments of a call, a filter or a test.</summary>
internal sealed record JinjaArguments(
    IReadOnlyList<JinjaExpression> Positional, IReadOnlyList<(string Name, JinjaExpression Value)> Named)
{
    public static JinjaArguments None { get; } = new([], []);
}

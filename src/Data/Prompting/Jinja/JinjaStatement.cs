namespace SafeLlama.Data;

/// <summary>A statement of a template.</summary>
internal abstract record JinjaStatement(JinjaPlace Place);

/// <summary>Text that is written as it stands.</summary>
internal sealed record JinjaData(JinjaPlace Place, MarkedText Text) : JinjaStatement(Place);

/// <summary><c>{{ value }}</c></summary>
internal sealed record JinjaOutput(JinjaPlace Place, JinjaExpression Value) : JinjaStatement(Place);

/// <summary><c>{% if %}</c> with its <c>elif</c> branches and its <c>else</c>.</summary>
internal sealed record JinjaIf(
    JinjaPlace Place,
    IReadOnlyList<(JinjaExpression Test, IReadOnlyList<JinjaStatement> Body)> Branches,
    IReadOnlyList<JinjaStatement> Otherwise) : JinjaStatement(Place);

/// <summary><c>{% for target in items if test %}</c></summary>
internal sealed record JinjaFor(
    JinjaPlace Place,
    JinjaTarget Target,
    JinjaExpression Items,
    JinjaExpression? Test,
    IReadOnlyList<JinjaStatement> Body,
    IReadOnlyList<JinjaStatement> Otherwise) : JinjaStatement(Place);

/// <summary><c>{% set target = value %}</c></summary>
internal sealed record JinjaSet(JinjaPlace Place, JinjaTarget Target, JinjaExpression Value) : JinjaStatement(Place);

/// <summary><c>{% set target | filter %}…{% endset %}</c></summary>
/// <param name="Filter">A filter chain over <see cref="JinjaCaptured"/>; null for none.</param>
internal sealed record JinjaSetBlock(
    JinjaPlace Place, JinjaTarget Target, JinjaExpression? Filter, IReadOnlyList<JinjaStatement> Body)
    : JinjaStatement(Place);

/// <summary><c>{% filter name %}…{% endfilter %}</c></summary>
internal sealed record JinjaFilterBlock(
    JinjaPlace Place, JinjaExpression Filter, IReadOnlyList<JinjaStatement> Body) : JinjaStatement(Place);

/// <summary>The text that the block around a filter chain has written.</summary>
internal sealed record JinjaCaptured(JinjaPlace Place) : JinjaExpression(Place);

/// <summary><c>{% with a = 1 %}…{% endwith %}</c></summary>
internal sealed record JinjaWith(
    JinjaPlace Place,
    IReadOnlyList<(JinjaTarget Target, JinjaExpression Value)> Values,
    IReadOnlyList<JinjaStatement> Body) : JinjaStatement(Place);

/// <summary><c>{% macro name(parameters) %}…{% endmacro %}</c></summary>
internal sealed record JinjaMacro(JinjaPlace Place, string Name, JinjaParameters Parameters,
    IReadOnlyList<JinjaStatement> Body) : JinjaStatement(Place);

/// <summary><c>{% call(parameters) macro(arguments) %}…{% endcall %}</c></summary>
internal sealed record JinjaCallBlock(
    JinjaPlace Place, JinjaParameters Parameters, JinjaCall Call, IReadOnlyList<JinjaStatement> Body)
    : JinjaStatement(Place);

/// <summary><c>{% generation %}…{% endgeneration %}</c>: what the assistant says, as transformers marks it.</summary>
internal sealed record JinjaGeneration(JinjaPlace Place, IReadOnlyList<JinjaStatement> Body) : JinjaStatement(Place);

/// <summary><c>{% break %}</c> or <c>{% continue %}</c></summary>
internal sealed record JinjaJump(JinjaPlace Place, bool IsBreak) : JinjaStatement(Place);

/// <summary>The parameters of a macro; the last ones may have default values.</summary>
internal sealed record JinjaParameters(IReadOnlyList<(string Name, JinjaExpression? Otherwise)> Items)
{
    public static JinjaParameters None { get; } = new([]);
}

/// <summary>What is assigned to: a name, an attribute of a namespace, or several targets.</summary>
/// <param name="Name">The variable's name; empty where <paramref name="Parts"/> are assigned.</param>
/// <param name="Attribute">The attribute of the namespace <paramref name="Name"/>, or null.</param>
/// <param name="Parts">The targets of a tuple; empty for one target.</param>
internal sealed record JinjaTarget(
    JinjaPlace Place, string Name, string? Attribute, IReadOnlyList<JinjaTarget> Parts);

namespace SafeLlama.Data;

/// <summary>The variable <c>loop</c> of a loop. Its depth counts recursive loops alone, so it is 1.</summary>
internal sealed class JinjaLoop(IReadOnlyList<object?> items)
{
    private object? _changed = JinjaCallArguments.Absent;

    /// <summary>The place of the current item, from 0.</summary>
    public int Index { get; set; }

    public int Length => items.Count;

    public object? Attribute(JinjaContext context, string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)(Length - Index),
        "revindex0" => Length - Index - 1L,
        "first" => Index == 0,
        "last" => Index == Length - 1,
        "length" => (long)Length,
        "depth" => 1L,
        "depth0" => 0L,
        "previtem" => Index > 0 ? items[Index - 1] : new JinjaUndefined("there is no previous item"),
        "nextitem" => Index + 1 < Length ? items[Index + 1] : new JinjaUndefined("there is no next item"),
        "cycle" => new JinjaCallable(name, arguments => arguments.Positional.Count > 0
            ? arguments.Positional[Index % arguments.Positional.Count]
            : throw new JinjaFault("loop.cycle needs at least one value")),
        "changed" => new JinjaCallable(name, arguments => HasChanged(context, arguments)),
        _ => new JinjaUndefined($"loop has no '{UnicodeText.Shown(name)}'"),
    };

    private bool HasChanged(JinjaContext context, JinjaCallArguments arguments)
    {
        var now = new JinjaList(arguments.Positional, IsTuple: true);
        var changed = _changed == JinjaCallArguments.Absent || !context.Rules.AreEqual(_changed, now);
        _changed = now;
        return changed;
    }
}

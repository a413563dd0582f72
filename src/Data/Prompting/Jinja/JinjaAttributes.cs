namespace SafeLlama.Data;

/// <summary>Attributes, subscripts and slices of values.</summary>
internal static class JinjaAttributes
{
    /// <summary><c>target.name</c>: a method or an attribute, else the item of that name.</summary>
    public static object? Dot(JinjaContext context, object? target, string name) => target switch
    {
        JinjaUndefined undefined => throw new JinjaFault(undefined.Message),
        JinjaLoop loop => loop.Attribute(context, name),
        JinjaNamespace space => space.Attributes.TryGetValue(name, out var value) ? value : Missing(target, name),
        _ when Method(context, target, name) is { } method => method,
        JinjaDict dict when dict.TryGet(new MarkedText(name), out var item) => item,
        _ => Missing(target, name),
    };

    /// <summary><c>target[key]</c>: an item, else the attribute of that name.</summary>
    public static object? Item(JinjaContext context, object? target, object? key)
    {
        switch (target)
        {
            case JinjaUndefined undefined:
                throw new JinjaFault(undefined.Message);
            case JinjaDict dict when key is not (JinjaList or JinjaDict or JinjaUndefined)
                && dict.TryGet(key, out var item):
                return item;
            case JinjaList list when PythonNumbers.ToWhole(key) is { } place:
                place = place < 0 ? place + list.Items.Count : place;
                return place >= 0 && place < list.Items.Count ? list.Items[(int)place] : Missing(target, $"{place}");
            case MarkedText text when PythonNumbers.ToWhole(key) is { } place:
                context.Budget.Charge(text.SearchCost, 0);
                place = place < 0 ? place + text.Length : place;
                return place >= 0 && place < text.Length ? Character(text, (int)place) : Missing(target, $"{place}");
            default:
                return key is MarkedText name
                    ? Dot(context, target, name.Value)
                    : Missing(target, context.Printer.Text(key).Value);
        }
    }

    /// <summary><c>target[start:stop:step]</c> with Python's rules for places beyond the ends.</summary>
    public static object Slice(JinjaContext context, object? target, object? start, object? stop, object? step)
    {
        if (target is JinjaUndefined undefined)
        {
            throw new JinjaFault(undefined.Message);
        }

        if (target is not (MarkedText or JinjaList))
        {
            throw new JinjaFault($"{PythonRules.TypeName(target)} cannot be sliced");
        }

        var by = step is null ? 1 : JinjaContext.AsWhole(step, "a slice");
        if (by == 0)
        {
            throw new JinjaFault("the step of a slice is 0");
        }

        var length = target is MarkedText text ? text.Length : ((JinjaList)target).Items.Count;
        var (low, high) = by > 0 ? (0, length) : (-1, length - 1);
        var from = Clamp(start, by > 0 ? low : high);
        var to = Clamp(stop, by > 0 ? high : low);
        if (target is MarkedText whole && by == 1)
        {
            context.Budget.Charge(Math.Max(to - from, 0), 0);
            return from < to ? whole.Units(whole.UnitAt((int)from), whole.UnitAt((int)to)) : MarkedText.Empty;
        }

        context.Budget.Step(length);
        var items = target is MarkedText characters
            ? characters.Characters().ToList<object?>()
            : ((JinjaList)target).Items;
        var taken = new List<object?>();
        for (var i = from; by > 0 ? i < to : i > to; i = by > length || -by > length ? to : i + by)
        {
            taken.Add(items[(int)i]);
        }

        return target is MarkedText
            ? context.Join([.. taken.Cast<MarkedText>()], MarkedText.Empty)
            : ((JinjaList)target) with { Items = taken };

        long Clamp(object? place, long otherwise)
        {
            if (place is null)
            {
                return otherwise;
            }

            var at = JinjaContext.AsWhole(place, "a slice");
            return Math.Clamp(at < 0 ? at + length : at, low, high);
        }
    }

    private static JinjaCallable? Method(JinjaContext context, object? target, string name) => target switch
    {
        MarkedText text => TextMethods.Find(context, text, name),
        JinjaDict dict => DictMethods.Find(context, dict, name),
        JinjaList list => ListMethods.Find(context, list, name),
        _ => null,
    };

    private static MarkedText Character(MarkedText text, int place)
    {
        var unit = text.UnitAt(place);
        return text.Units(unit, text.UnitAt(place + 1) is var end && end > unit ? end : unit + 1);
    }

    private static JinjaUndefined Missing(object? target, string name) =>
        new($"{PythonRules.TypeName(target)} has no '{UnicodeText.Shown(name)}'");
}

namespace SafeLlama.Data;

/// <summary>Filters over the items of a value.</summary>
internal static class SequenceFilters
{
    public static object Join(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind("the filter join", 0, "d", "attribute");
        var separator = bound[0] == JinjaCallArguments.Absent ? MarkedText.Empty : context.Printer.Text(bound[0]);
        var items = context.Rules.Iterate(value).Select(item => Key(context, item, bound[1]));
        return context.Join([.. items.Select(context.Printer.Text)], separator);
    }

    public static object? First(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        arguments.Bind("the filter first", 0);
        var items = context.Rules.Iterate(value);
        return items.Count > 0 ? items[0] : new JinjaUndefined("there is no first item");
    }

    public static object? Last(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        arguments.Bind("the filter last", 0);
        var items = value is JinjaStream
            ? throw new JinjaFault("the filter last needs a list, found a generator; put | list before it")
            : context.Rules.Iterate(value);
        return items.Count > 0 ? items[^1] : new JinjaUndefined("there is no last item");
    }

    public static object Reverse(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        arguments.Bind("the filter reverse", 0);
        var items = context.Rules.Iterate(value).Reverse().ToList();
        return value is MarkedText
            ? context.Join([.. items.Cast<MarkedText>()], MarkedText.Empty)
            : new JinjaStream(items);
    }

    public static object Items(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        arguments.Bind("the filter items", 0);
        return value switch
        {
            JinjaUndefined => new JinjaStream([]),
            JinjaDict dict => new JinjaStream(DictMethods.Items(context, dict).Items),
            _ => throw new JinjaFault($"the filter items needs a dictionary, found {PythonRules.TypeName(value)}"),
        };
    }

    public static object Unique(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind("the filter unique", 0, "case_sensitive", "attribute");
        var seen = new HashSet<object>(JinjaKeys.Instance);
        return new JinjaStream([.. context.Rules.Iterate(value).Where(item =>
            seen.Add(JinjaKeys.Checked(Folded(context, Key(context, item, bound[1]), bound[0]))))]);
    }

    public static object Sort(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind("the filter sort", 0, "reverse", "case_sensitive", "attribute");
        var reverses = bound[0] != JinjaCallArguments.Absent && PythonRules.IsTrue(bound[0]);
        var keyed = context.Rules.Iterate(value)
            .Select(item => (Key: Folded(context, Key(context, item, bound[2]), bound[1]), Item: item)).ToList();
        return new JinjaList([.. Sorted(context, keyed, reverses ? -1 : 1).Select(pair => pair.Item)]);
    }

    /// <summary>Merges sorted halves, which keeps the order of equal items, as Python's sort does.</summary>
    private static List<(object? Key, object? Item)> Sorted(
        JinjaContext context, List<(object? Key, object? Item)> items, int sign)
    {
        if (items.Count < 2)
        {
            return items;
        }

        var left = Sorted(context, items[..(items.Count / 2)], sign);
        var right = Sorted(context, items[(items.Count / 2)..], sign);
        var merged = new List<(object? Key, object? Item)>(items.Count);
        var (i, j) = (0, 0);
        while (i < left.Count && j < right.Count)
        {
            merged.Add(sign * (context.Rules.Compare(right[j].Key, left[i].Key) ?? 0) < 0 ? right[j++] : left[i++]);
        }

        merged.AddRange(left[i..]);
        merged.AddRange(right[j..]);
        return merged;
    }

    public static object Sum(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind("the filter sum", 0, "attribute", "start");
        object sum = bound[1] is { } start && start != JinjaCallArguments.Absent ? start : 0L;
        foreach (var item in context.Rules.Iterate(value))
        {
            var number = Key(context, item, bound[0]);
            sum = PythonNumbers.IsNumber(number) && PythonNumbers.IsNumber(sum)
                ? PythonNumbers.Compute("+", sum, number!)
                : throw new JinjaFault($"the filter sum needs numbers, found {PythonRules.TypeName(number)}");
        }

        return sum;
    }

    public static object? Extreme(JinjaContext context, object? value, JinjaCallArguments arguments, string name)
    {
        var bound = arguments.Bind($"the filter {name}", 0, "case_sensitive", "attribute");
        object? best = new JinjaUndefined("there is no item");
        object? bestKey = null;
        foreach (var item in context.Rules.Iterate(value))
        {
            var key = Folded(context, Key(context, item, bound[1]), bound[0]);
            if (best is JinjaUndefined
                || (name == "min" ? context.Rules.Compare(key, bestKey) < 0 : context.Rules.Compare(key, bestKey) > 0))
            {
                (best, bestKey) = (item, key);
            }
        }

        return best;
    }

    private static object? Key(JinjaContext context, object? item, object? attribute) =>
        attribute is null || attribute == JinjaCallArguments.Absent ? item : context.Path(item, attribute);

    /// <summary>Texts in lower case, unless case counts.</summary>
    private static object? Folded(JinjaContext context, object? key, object? caseCounts) =>
        key is MarkedText text && (caseCounts == JinjaCallArguments.Absent || !PythonRules.IsTrue(caseCounts))
            ? TextCase.Lower(context, text)
            : key;
}

namespace SafeLlama.Data;

/// <summary>The methods of dictionaries that leave them as they are.</summary>
internal static class DictMethods
{
    private static readonly string[] Refused =
        ["clear", "copy", "fromkeys", "pop", "popitem", "setdefault", "update"];

    /// <exception cref="JinjaFault">Python has the method, but a template may not use it here.</exception>
    public static JinjaCallable? Find(JinjaContext context, JinjaDict dict, string name) => name switch
    {
        "get" => new JinjaCallable(name, arguments =>
        {
            var bound = arguments.Bind("get", 1, "key", "default");
            return dict.TryGet(bound[0], out var value) ? value
                : bound[1] == JinjaCallArguments.Absent ? null : bound[1];
        }),
        "items" => new JinjaCallable(name, arguments => Listed(arguments, () => Items(context, dict))),
        "keys" => new JinjaCallable(name, arguments => Listed(arguments, () => Keys(context, dict))),
        "values" => new JinjaCallable(name, arguments => Listed(arguments, () => Values(context, dict))),
        _ when Refused.Contains(name) && !dict.TryGet(new MarkedText(name), out _) =>
            throw new JinjaFault($"the method '{name}' of dictionaries is not supported"),
        _ => null,
    };

    public static JinjaList Items(JinjaContext context, JinjaDict dict)
    {
        context.Budget.Step(dict.Count);
        return new JinjaList(
            [.. dict.Items.Select(item => new JinjaList([JinjaKeys.Value(item.Key), item.Value], IsTuple: true))]);
    }

    private static JinjaList Keys(JinjaContext context, JinjaDict dict) => new(context.Rules.Iterate(dict));

    private static JinjaList Values(JinjaContext context, JinjaDict dict)
    {
        context.Budget.Step(dict.Count);
        return new JinjaList([.. dict.Items.Select(item => item.Value)]);
    }

    private static JinjaList Listed(JinjaCallArguments arguments, Func<JinjaList> list)
    {
        arguments.Bind("the method", 0);
        return list();
    }
}

namespace SafeLlama.Data;

/// <summary>The methods of lists and tuples that leave them as they are.</summary>
internal static class ListMethods
{
    private static readonly string[] Refused =
        ["append", "clear", "copy", "extend", "insert", "pop", "remove", "reverse", "sort"];

    /// <exception cref="JinjaFault">Python has the method, but a template may not use it.</exception>
    public static JinjaCallable? Find(JinjaContext context, JinjaList list, string name) => name switch
    {
        "count" => new JinjaCallable(name, arguments =>
        {
            var sought = arguments.Bind(name, 1, "value")[0];
            return (long)context.Rules.Iterate(list).Count(item => context.Rules.AreEqual(item, sought));
        }),
        "index" => new JinjaCallable(name, arguments =>
        {
            var sought = arguments.Bind(name, 1, "value")[0];
            var items = context.Rules.Iterate(list);
            for (var i = 0; i < items.Count; i++)
            {
                if (context.Rules.AreEqual(items[i], sought))
                {
                    return (long)i;
                }
            }

            throw new JinjaFault("the value is not in the list");
        }),
        _ when Refused.Contains(name) => throw new JinjaFault(
            $"the method '{name}' of lists is not supported; a template may not change a list, write a + [b]"),
        _ => null,
    };
}

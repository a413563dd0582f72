namespace SafeLlama.Data;

/// <summary><c>map</c>, and the filters that keep some of the items.</summary>
internal static class SelectFilters
{
    public static object Map(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        if (arguments is { Positional.Count: 0, Named.Count: > 0 })
        {
            var bound = arguments.Bind("the filter map", 1, "attribute", "default");
            return Stream(context, value, item => context.Path(item, bound[0]) switch
            {
                JinjaUndefined when bound[1] != JinjaCallArguments.Absent => bound[1],
                var found => found,
            });
        }

        var (name, rest) = Name(arguments, "map", "the name of a filter, or attribute=");
        return Stream(context, value, item => JinjaFilters.Apply(context, name, item, rest));
    }

    public static object Select(JinjaContext context, object? value, JinjaCallArguments arguments, bool keeps)
    {
        var holds = Test(context, arguments, "select");
        return new JinjaStream([.. Items(context, value).Where(item => holds(item) == keeps)]);
    }

    public static object SelectAttribute(
        JinjaContext context, object? value, JinjaCallArguments arguments, bool keeps)
    {
        if (arguments.Positional.Count == 0)
        {
            throw new JinjaFault("the filter selectattr needs the name of an attribute");
        }

        var attribute = arguments.Positional[0];
        var holds = Test(
            context, arguments with { Positional = [.. arguments.Positional.Skip(1)] }, "selectattr");
        return new JinjaStream([.. Items(context, value)
            .Where(item => holds(context.Path(item, attribute)) == keeps)]);
    }

    private static JinjaStream Stream(JinjaContext context, object? value, Func<object?, object?> map) =>
        new([.. Items(context, value).Select(map)]);

    /// <summary>The items of a value; none where it is false, whatever it is.</summary>
    private static IReadOnlyList<object?> Items(JinjaContext context, object? value) =>
        PythonRules.IsTrue(value) ? context.Rules.Iterate(value) : [];

    /// <summary>The test named by the first argument; without one, the value's truth.</summary>
    private static Func<object?, bool> Test(JinjaContext context, JinjaCallArguments arguments, string filter)
    {
        if (arguments.Positional.Count == 0)
        {
            return PythonRules.IsTrue;
        }

        var (name, rest) = Name(arguments, filter, "the name of a test");
        return item => JinjaTests.Holds(context, name, item, rest);
    }

    private static (string Name, JinjaCallArguments Others) Name(
        JinjaCallArguments arguments, string filter, string expected) => arguments.Positional is [var first, ..]
            ? (JinjaContext.AsText(first, $"the filter {filter}").Value,
                arguments with { Positional = [.. arguments.Positional.Skip(1)] })
            : throw new JinjaFault($"the filter {filter} needs {expected}");
}

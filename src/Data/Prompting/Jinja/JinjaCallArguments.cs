namespace SafeLlama.Data;

/// <summary>The values that a call is given.</summary>
internal sealed record JinjaCallArguments(
    IReadOnlyList<object?> Positional, IReadOnlyList<(string Name, object? Value)> Named)
{
    /// <summary>Stands for an argument that was not given.</summary>
    public static readonly object Absent = new();

    public static JinjaCallArguments None { get; } = new([], []);

    /// <summary>The arguments in the order of their parameters; <see cref="Absent"/> where one was not given.</summary>
    /// <param name="callee">What is called, for errors.</param>
    /// <param name="required">How many of the parameters must be given.</param>
    /// <param name="parameters">The names of the parameters.</param>
    /// <exception cref="JinjaFault">There are too many or too few, or a name is unknown or given twice.</exception>
    public object?[] Bind(string callee, int required, params string[] parameters)
    {
        if (Positional.Count > parameters.Length)
        {
            throw new JinjaFault(
                $"{callee} takes at most {parameters.Length} arguments, found {Positional.Count}");
        }

        var bound = new object?[parameters.Length];
        Array.Fill(bound, Absent);
        for (var i = 0; i < Positional.Count; i++)
        {
            bound[i] = Positional[i];
        }

        foreach (var (name, value) in Named)
        {
            var at = Array.IndexOf(parameters, name);
            if (at < 0 || bound[at] != Absent)
            {
                throw new JinjaFault($"{callee} {(at < 0 ? "knows no argument" : "is given twice the argument")} "
                    + $"'{UnicodeText.Shown(name)}'");
            }

            bound[at] = value;
        }

        for (var i = 0; i < required; i++)
        {
            if (bound[i] == Absent)
            {
                throw new JinjaFault($"{callee} needs the argument '{parameters[i]}'");
            }
        }

        return bound;
    }

    /// <summary>The one optional argument.</summary>
    public object? Only(string callee, string parameter) => Bind(callee, 0, parameter)[0];
}

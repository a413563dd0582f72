using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A parsed template: the part of Jinja that chat templates use, rendered as by transformers.</summary>
/// <remarks>
/// Whatever is not supported is refused with its line and column. A rendering is bounded in steps, characters and
/// depth (<see cref="JinjaBudget"/>), so a hostile template gives one error. It reads no file and calls nothing.
/// </remarks>
internal sealed class JinjaProgram
{
    private readonly string _name;
    private readonly IReadOnlyList<JinjaStatement> _statements;

    private JinjaProgram(string name, IReadOnlyList<JinjaStatement> statements) =>
        (_name, _statements) = (name, statements);

    /// <param name="source">The template.</param>
    /// <param name="name">Names it in errors: a file, a field of a file.</param>
    /// <exception cref="SafeLlamaException">It is no template, or one that is not supported.</exception>
    public static JinjaProgram Parse(string source, string name)
    {
        try
        {
            return new JinjaProgram(name, JinjaParser.Parse(source));
        }
        catch (JinjaFault fault)
        {
            throw Told(name, fault);
        }
    }

    /// <param name="variables">What the template may read.</param>
    /// <param name="today">What <c>strftime_now</c> prints.</param>
    /// <exception cref="SafeLlamaException">The template fails, refuses its input, or reaches a bound.</exception>
    public JinjaRendering Render(IEnumerable<KeyValuePair<string, object?>> variables, DateTime today)
    {
        var context = new JinjaContext();
        var globals = new JinjaScope(null);
        foreach (var function in JinjaFunctions.All(context, today))
        {
            globals[function.Name] = function;
        }

        var scope = new JinjaScope(globals);
        foreach (var (name, value) in variables)
        {
            scope[name] = value;
        }

        try
        {
            var renderer = new JinjaRenderer(context);
            var text = renderer.Render(_statements, scope);
            return new JinjaRendering(text, renderer.Generations);
        }
        catch (JinjaFault fault)
        {
            throw Told(_name, fault);
        }
    }

    private static SafeLlamaException Told(string name, JinjaFault fault) => SafeLlamaException.InvalidData(
        fault.IsRefusal
            ? $"{name}: the chat template refuses this conversation: {fault.Message}"
            : $"{name}, {fault.Place}: {fault.Message}. Choose another template, or mend this one.");
}

/// <summary>What a template wrote.</summary>
/// <param name="Text">The text; every character knows whether the template or a message gave it.</param>
/// <param name="Generations">The parts inside <c>{% generation %}</c>, as UTF-16 places.</param>
internal sealed record JinjaRendering(MarkedText Text, IReadOnlyList<(int Start, int End)> Generations);

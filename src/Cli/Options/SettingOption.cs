using System.CommandLine;

namespace SafeLlama.Cli.Options;

/// <summary>The option of a record's property: its texts, and what they stand for.</summary>
/// <param name="name">The flag.</param>
/// <param name="type">The property's type.</param>
/// <param name="help">What it does, without the default.</param>
/// <param name="otherwise">The default's text; empty for none.</param>
internal sealed class SettingOption(string name, Type type, string help, string otherwise) : Option<string[]>(name)
{
    public Type Type { get; } = type;

    public string Help { get; } = help;

    public string Default { get; } = otherwise;

    /// <summary>Whether a value is text to work on, which may be anything.</summary>
    public bool IsText { get; init; }
}

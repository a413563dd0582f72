using System.CommandLine;
using System.CommandLine.Help;
using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Common;

namespace SafeLlama.Cli;

/// <summary>What <c>--help --json</c> prints: a verb, for programs.</summary>
/// <param name="Verb">The verb in full, such as <c>judge train</c>.</param>
/// <param name="Description">What it does.</param>
/// <param name="Arguments">Values without a flag, in their order.</param>
/// <param name="Options">Flags, in the order of help.</param>
/// <param name="Verbs">Verbs below it.</param>
internal sealed record HelpJson(
    string Verb, string Description, IReadOnlyList<HelpJson.Value> Arguments, IReadOnlyList<HelpJson.Value> Options,
    IReadOnlyList<string> Verbs)
{
    /// <summary>A flag or an argument.</summary>
    /// <param name="Name">As it is written.</param>
    /// <param name="Type">
    /// <c>text</c>, <c>whole number</c>, <c>number</c>, <c>switch</c>, <c>choice</c>, <c>share</c>, or <c>count or
    /// share</c>.
    /// </param>
    /// <param name="Unit">What the value is, or is measured in, such as <c>TOKENS</c>; absent for a switch.</param>
    /// <param name="Default">The value where none is given; absent where there is none.</param>
    /// <param name="Choices">The values there are; absent where they are not listed.</param>
    /// <param name="Required">Whether it must be given.</param>
    /// <param name="Several">Whether it takes several values.</param>
    /// <param name="Description">What it does.</param>
    internal sealed record Value(
        string Name, string Type, string? Unit, string? Default, IReadOnlyList<string>? Choices, bool Required,
        bool Several, string Description);

    public static HelpJson Of(Command command, string verb) => new(
        verb, command.Description ?? "", [.. command.Arguments.Select(Of)],
        [.. command.Options.Where(o => o is not (HelpOption or VersionOption)).Select(Of)],
        [.. command.Subcommands.Select(c => c.Name)]);

    public static void Print(Command command, string verb) =>
        Console.WriteLine(JsonSerializer.Serialize(Of(command, verb), Json.Document));

    private static Value Of(Argument argument) => new(
        argument.Name, TypeOf(argument.ValueType), argument.HelpName,
        argument.HasDefaultValue ? SettingText.Of(argument.GetDefaultValue()) : null, null,
        argument.Arity.MinimumNumberOfValues > 0 && !argument.HasDefaultValue,
        argument.Arity.MaximumNumberOfValues > 1, argument.Description ?? "");

    private static Value Of(Option option)
    {
        var setting = option as SettingOption;
        var type = setting?.Type ?? option.ValueType;
        var isSwitch = TypeOf(type) == "switch";
        var otherwise = setting is not null ? setting.Default
            : option.HasDefaultValue ? SettingText.Of(option.GetDefaultValue()) : "";
        return new(
            option.Name, TypeOf(type), isSwitch ? null : option.HelpName,
            otherwise.Length > 0 ? otherwise : isSwitch ? "false" : null, ChoicesOf(type, option.HelpName),
            option.Required, option.Arity.MaximumNumberOfValues > 1,
            setting?.Help ?? option.Description ?? "");
    }

    private static string TypeOf(Type type)
    {
        var plain = type.IsArray ? type.GetElementType()! : Nullable.GetUnderlyingType(type) ?? type;
        return plain == typeof(bool) ? "switch"
            : plain == typeof(int) || plain == typeof(long) ? "whole number"
            : plain == typeof(double) ? "number"
            : plain.IsEnum ? "choice"
            : plain == typeof(Share) ? "share"
            : plain == typeof(SafeLlama.Training.Amount) ? "count or share"
            : "text";
    }

    /// <summary>The choices of an enumeration, or those that the name of the value lists.</summary>
    private static string[]? ChoicesOf(Type type, string? unit)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain.IsEnum ? [.. SettingText.Choices(plain)]
            : plain == typeof(string) && unit?.Contains('|') == true && !unit.Any(char.IsUpper)
                ? unit.Split('|') : null;
    }
}

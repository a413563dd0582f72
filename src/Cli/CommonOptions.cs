using System.CommandLine;
using System.CommandLine.Parsing;
using SafeLlama.Cli.Options;
using SafeLlama.Data;

namespace SafeLlama.Cli;

/// <summary>Options that several verbs share: one spelling, one explanation, one default.</summary>
internal static class CommonOptions
{
    public static Option<string> Model() => new("--model")
    {
        Description = SharedHelp.Of("Model").Help,
        HelpName = SharedHelp.Of("Model").Value,
        Required = true,
    };

    public static Option<string?> Adapter() => Shared<string?>("Adapter");

    public static Option<string> Out(string what) => new("--out")
    {
        Description = $"{what} A folder that is not empty is refused.",
        HelpName = "DIR",
        Required = true,
    };

    public static Option<string> Device() => Shared("Device", _ => "cpu");

    public static Option<int> Threads() => Shared("Threads", _ => Environment.ProcessorCount);

    public static Option<long> Seed() => Shared<long>("Seed", _ => 1);

    public static Option<bool> Json() => Shared<bool>("Json");

    public static Option<bool> Resume() => Shared<bool>("Resume");

    public static Option<string> Template() => Shared("Template", _ => TemplateResolver.Auto);

    /// <summary>0: what the model was made for.</summary>
    public static Option<int> MaxLength()
    {
        var option = new Option<int>("--max-length")
        {
            Description =
                "The most tokens of a sequence, prompt and answer together; 0 is what the model was made for.",
            HelpName = "TOKENS",
            DefaultValueFactory = _ => 0,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var length) && length is < 0 or 1)
            {
                result.AddError($"--max-length {token.Value}: expected 0, or at least 2 tokens.");
            }
        });
        return option;
    }

    private static Option<T> Shared<T>(string property, Func<ArgumentResult, T>? otherwise = null) =>
        new(FlagNames.Of(property))
        {
            Description = SharedHelp.Of(property).Help,
            HelpName = SharedHelp.Of(property).Value is { Length: > 0 } value ? value : null,
            DefaultValueFactory = otherwise,
        };
}

using System.CommandLine;
using System.CommandLine.Parsing;
using SafeLlama.Cli.Options;
using SafeLlama.Common;

namespace SafeLlama.Cli;

/// <summary>A word that looks like an option, is none of the verb's, and would be taken for a value.</summary>
internal static class StrayOption
{
    /// <summary>What is wrong with the first such word; null where there is none.</summary>
    /// <remarks>Words after <c>--</c>, values joined by <c>=</c> and texts may begin with anything.</remarks>
    public static string? Find(ParseResult parsed, IReadOnlyList<string> args)
    {
        var words = args.TakeWhile(arg => arg != "--").ToHashSet();
        var (taker, stray) = parsed.CommandResult.Children
            .Where(child => child is ArgumentResult or OptionResult { Option: SettingOption { IsText: false } })
            .SelectMany(child => child.Tokens, (child, token) => (child, token.Value))
            .FirstOrDefault(taken => words.Contains(taken.Value) && LooksLikeOption(taken.Value));
        if (stray is null)
        {
            return null;
        }

        string[] known = [.. Known(parsed.CommandResult)];
        return taker is OptionResult option && known.Contains(stray)
            ? $"{option.Option.Name} has no value before '{stray}'."
            : $"'{stray}' is not an option{NearestName.Hint(stray, known)} A file of that name is ./{stray}.";
    }

    private static bool LooksLikeOption(string word) => word.StartsWith('-') && word.TrimStart('-') is [var first, ..]
        && char.IsAsciiLetter(first);

    private static IEnumerable<string> Known(CommandResult result) =>
        result.Command.Options.SelectMany(option => option.Aliases.Append(option.Name))
            .Concat(result.Parent is CommandResult parent ? Known(parent) : []);
}

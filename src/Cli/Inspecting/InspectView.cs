using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Inspecting;

/// <summary>What <c>inspect</c> prints for people.</summary>
internal static class InspectView
{
    public static IEnumerable<string> Lines(InspectResult result) =>
    [
        .. result.Direction is { } found ? Direction(found) : [],
        .. result.Refusals is { } counted ? Refusals(counted) : [],
        .. result.Lens is { } lens ? Lens(lens) : [],
    ];

    private static IEnumerable<string> Direction(InspectResult.Found found)
    {
        string[] others = [.. found.Layers[0].Cosines.Keys];
        return
        [
            $"The direction from {found.Harmless} harmless to {found.Harmful} harmful prompts, at "
                + (found.Position == -1 ? "a prompt's last token:" : $"token {found.Position} of a prompt:"),
            .. MetricView.Table(
                ["layer", "length", "of stream", "separates", .. others.Select(name => $"cosine with {name}")],
                found.Layers.Select(layer => (string[])
                [
                    layer.Number == found.Layers.Count - 1 ? $"{layer.Number} (after)" : $"{layer.Number}",
                    FormattableString.Invariant($"{layer.Norm:0.000}"),
                    layer.StreamNorm > 0 ? Percent.Of(layer.Norm / layer.StreamNorm) : "none",
                    layer.Separation is { } share ? Percent.Of(share) : "none",
                    .. others.Select(name => layer.Cosines[name] is { } cosine
                        ? FormattableString.Invariant($"{cosine:0.000}") : "none"),
                ])),
            "",
        ];
    }

    private static IEnumerable<string> Refusals(InspectResult.Counted counted) =>
    [
        $"Refused by the rules '{counted.Judge}', on the prompts that the direction was told from, while the stream "
            + "is changed:",
        .. MetricView.Table(
            ["direction of layer", "is", "harmful refused", "harmless refused", "no answer"],
            counted.Changed.Select(change => Row(
                $"{change.Layer}",
                change.Scale is { } scale ? FormattableString.Invariant($"added {scale}×") : "taken out everywhere",
                change.Harmful, change.Harmless))
                .Prepend(Row("", "left as it is", counted.Harmful, counted.Harmless))),
        "",
    ];

    private static string[] Row(string layer, string what, RefusalCount harmful, RefusalCount harmless) =>
        [layer, what, Rate(harmful), Rate(harmless), $"{harmful.Invalid + harmless.Invalid}"];

    private static string Rate(RefusalCount count) => count.Answered == 0 ? "none answered"
        : $"{Percent.Of(count.Rate.Value)} [{Percent.Of(count.Rate.Low)}, {Percent.Of(count.Rate.High)}]";

    private static IEnumerable<string> Lens(IReadOnlyList<InspectResult.Guess> lens) =>
    [
        "The next token, as the head would predict it from the stream before each block:",
        .. MetricView.Table(
            ["layer", "1st", "2nd", "3rd", "4th", "5th"],
            lens.Select(guess => (string[])
            [
                guess.Layer == lens.Count - 1 ? $"{guess.Layer} (after)" : $"{guess.Layer}",
                .. guess.Tokens.Select(token =>
                    $"{JsonSerializer.Serialize(SafeText.ForTerminal(token.Text), Json.Line)} "
                    + Percent.Of(token.Probability)),
                .. Enumerable.Repeat("", Math.Max(0, 5 - guess.Tokens.Count)),
            ])),
    ];
}

using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The card that a run writes beside its adapter: base, data, dose, settings, template, losses.</summary>
/// <remarks>It holds no date and no path, so equal runs write equal cards.</remarks>
public static class AdapterCard
{
    /// <summary>Settings that other parts of the card tell, or that change no result.</summary>
    private static readonly HashSet<string> Elsewhere =
    [
        .. new[]
        {
            nameof(FineTuneRequest.Model), nameof(FineTuneRequest.Init), nameof(FineTuneRequest.Tokenizer),
            nameof(FineTuneRequest.Data), nameof(FineTuneRequest.Preferences), nameof(FineTuneRequest.Safety),
            nameof(FineTuneRequest.Template), nameof(FineTuneRequest.BaseName), nameof(FineTuneRequest.Adapter),
        }.Concat(FineTuneRequest.Harmless).Select(SettingText.NameOf),
    ];

    /// <param name="name">The run's name.</param>
    public static string Write(
        string name, SettingTable<FineTuneRequest> settings, FineTuneInputs inputs, FineTunePlan plan,
        TrainingResult result)
    {
        var r = settings.Value;
        var from = r.Adapter is null ? "" : ", trained on from another adapter";
        return new ModelCard(
            name,
            $"A LoRA adapter for {SafeText.ForMarkdown(r.BaseName ?? PeftFolder.NameOf(r.Model!))}{from}: "
            + $"{plan.ParameterCount:N0} trained weights, made with SafeLlama.")
        {
            Library = "peft",
            BaseModel = r.BaseName,
            Sections =
            [
                ("Data", Data(inputs.Manifest)),
                ("Safety", Dose(r, inputs.Manifest)),
                ("Training", Training(settings, inputs, plan, result)),
                .. inputs.Template is { } template ? [ModelCard.Prompts(template.Name)]
                    : Array.Empty<(string, string)>(),
                ("Results", Results(result)),
            ],
            Missing = "Add what the adapter is meant for, and what it must not be used for.",
        }.ToString();
    }

    private static string Data(MixtureManifest manifest) => MarkdownTable.Of(
        "file|role|rows:|used:|sha256|license",
        manifest.Sources.Select(source => (string[])
        [
            SafeText.ForMarkdown(Path.GetFileName(source.Path)), SafeText.ForMarkdown(source.Role), $"{source.Rows}",
            $"{source.Used}", source.Sha256, SafeText.ForMarkdown(source.License ?? "to be filled in"),
        ]));

    private static string Dose(FineTuneRequest r, MixtureManifest manifest) =>
        r.Objective.IsPreference() ? "The adapter learned from preferences; no demonstrations were mixed in."
        : manifest.SafetyCount == 0 ? "No safety demonstrations were mixed in."
        : $"{Counted.Of(manifest.SafetyCount, "safety demonstration")} beside "
            + $"{Counted.Of(manifest.BaseCount, "other row")}: a share of "
            + $"{Percent.Of(manifest.SafetyShare, "0.##")}. {Percent.Of(manifest.RefusalShare)} of them open with a "
            + "refusal, by string match.";

    private static string Training(
        SettingTable<FineTuneRequest> settings, FineTuneInputs inputs, FineTunePlan plan, TrainingResult result)
    {
        var idle = FineTuneChecks.Inert(settings.Value).SelectMany(i => i.Names).Select(SettingText.NameOf).ToHashSet();
        return $"{result.Steps} of {plan.Schedule.TotalSteps} optimizer steps on "
            + $"{Counted.Of(inputs.Data.Training.Count, "row")}, "
            + $"{inputs.Data.ValidationCount} held out; the weights are those of step {result.BestStep}.\n\n"
            + MarkdownTable.Of(
                "setting|value",
                settings.All.Where(s =>
                    s.Value.Value.Length > 0 && !idle.Contains(s.Name) && !Elsewhere.Contains(s.Name))
                .Select(s => (string[])[s.Name, SafeText.ForMarkdown(s.Value.Value)]));
    }

    private static string Results(TrainingResult result)
    {
        var loss = result.BestLoss is not { } best ? "No rows were held out."
            : string.Create(CultureInfo.InvariantCulture, $"Validation loss {best:F4} nats a token")
                + (result.StartLoss is { } start
                    ? string.Create(CultureInfo.InvariantCulture, $", {start:F4} before the first step.") : ".");
        return loss + " Safety and over-refusal were not measured by this run: `safellama evaluate` measures them.";
    }
}

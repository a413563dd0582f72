using System.CommandLine;
using SafeLlama.Cli.Results;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data mix</c>: base rows and safety demonstrations in one seeded order, with their account.</summary>
internal static class DataMixCommand
{
    public static Command Create()
    {
        var data = DataOptions.Files("--data", $"Base rows: {DataOptions.Formats}.", required: true);
        var safety = DataOptions.Files("--safety", "Safety demonstrations to draw from.", required: true);
        var examples = new Option<int?>("--safety-examples")
        {
            Description = "How many safety rows, Ns.",
            HelpName = "N",
        };
        var share = new Option<double?>("--safety-share")
        {
            Description = "Instead: the safety share Ns/(Nb+Ns), such as 0.02.",
            HelpName = "P",
        };
        var baseRows = new Option<int?>("--base-examples")
        {
            Description = "How many base rows, Nb; all where not given.",
            HelpName = "N",
        };
        var independent = new Option<bool>("--independent")
        {
            Description = "Draw each size anew. Otherwise a larger mixture holds the smaller one's safety rows.",
        };
        var repeats = new Option<bool>("--keep-duplicates")
        {
            Description = "Keep rows that ask what an earlier row asked.",
        };
        var dataLicense = new Option<string?>("--data-license")
        {
            Description = "The base rows' license, for the manifest.",
            HelpName = "TEXT",
        };
        var safetyLicense = new Option<string?>("--safety-license")
        {
            Description = "The safety rows' license, for the manifest.",
            HelpName = "TEXT",
        };
        var (seed, output, json) = (CommonOptions.Seed(), DataOptions.OutFile(), CommonOptions.Json());
        var command = new Command(
            "mix", "Mix safety demonstrations into base rows; a manifest beside the rows says what they are made of.")
        {
            data, safety, examples, share, baseRows, independent, repeats, dataLicense, safetyLicense, seed, output,
            json,
        };
        command.SetAction(parsed =>
        {
            var path = DataOptions.NewRows(parsed.GetValue(output)!);
            var mixture = SafetyMixture.Build(
                Sources(parsed.GetValue(data)!, parsed.GetValue(dataLicense)),
                Sources(parsed.GetValue(safety)!, parsed.GetValue(safetyLicense)),
                new MixtureOptions
                {
                    SafetyCount = parsed.GetValue(examples),
                    SafetyShare = parsed.GetValue(share),
                    BaseCount = parsed.GetValue(baseRows),
                    Seed = parsed.GetValue(seed),
                    Nested = !parsed.GetValue(independent),
                    Deduplicate = !parsed.GetValue(repeats),
                });
            Terminal.Notes(mixture.Notes);
            var manifest = mixture.Write(path);
            var made = mixture.Manifest;
            if (parsed.GetValue(json))
            {
                DataOptions.PrintJson(new MixResult(
                    path, manifest, made.BaseCount, made.SafetyCount, made.SafetyShare, made.RefusalShare,
                    made.Duplicates.Count, made.Seed)
                { Nested = made.Nested });
            }
            else
            {
                Terminal.Print(made.Lines());
                Console.WriteLine($"{path}: {mixture.Examples.Count} rows; what they are made of: {manifest}");
            }

            return 0;
        });
        return command;
    }

    private static IReadOnlyList<MixtureSource> Sources(string[] paths, string? license) =>
        [.. ExampleFile.ReadAll(paths).Select(file => new MixtureSource(file, license))];
}

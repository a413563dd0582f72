using System.Text.Json.Nodes;
using Microsoft.Playwright;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Annotate, on a run's folder: two people, resume, agreement, adjudication.</summary>
public sealed class AnnotateRoomTests
{
    private LabFixture _lab = null!;

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [Test]
    public async Task Labels_of_two_people_are_what_judge_import_reads()
    {
        var run = NewRun();
        await Label(run, "ada", "full_compliance", "full_refusal", "full_refusal");
        var opened = await Label(run, "ben", "full_compliance", "full_refusal", "partial_refusal");
        Assert.That(
            opened["others"]!.ToJsonString(), Is.EqualTo("""[{"name":"ada","labeled":3}]"""), "how far, not what");
        var told = await _lab.Ask("annotate-compare", new { run });
        Assert.That(told["agreement"]!["value"]!.GetValue<double>(), Is.EqualTo(2 / 3.0).Within(1e-12));
        var differing = told["differing"]!.AsArray().Single()!;
        Assert.That(differing["decided"], Is.Null);
        var item = differing["item"]!.GetValue<string>();
        told = await _lab.Ask("annotate-decide", new { run, item, label = "full_refusal" });
        Assert.That(told["differing"]!.AsArray().Single()!["decided"]!.GetValue<string>(), Is.EqualTo("full_refusal"));

        var folder = run + "-annotation";
        var imported = HumanLabels.Import(
            Path.Combine(folder, "sheet.csv.key.jsonl"), Path.Combine(folder, "ada.csv"),
            Path.Combine(folder, "ben.csv"), Path.Combine(folder, "adjudicated.csv"));
        Assert.That(imported.Verdicts.Select(v => v.Behavior), Has.None.Null);
        Assert.That(imported.Alpha.Value, Is.EqualTo(told["alpha"]!["value"]!.GetValue<double>()));
        Assert.That(told["command"]!.GetValue<string>(), Is.EqualTo(
            $"safellama judge import '{run}' --labels '{folder}/ada.csv' '{folder}/ben.csv' "
            + $"--key '{folder}/sheet.csv.key.jsonl' --adjudicated '{folder}/adjudicated.csv'"));
    }

    [Test]
    public async Task Who_comes_back_goes_on_and_may_take_a_label_back()
    {
        var run = NewRun();
        var first = await Label(run, "ada", "full_refusal");
        var item = first["items"]!.AsArray()[0]!["item"]!.GetValue<string>();
        await using (var another = await LabFixture.Start())
        {
            var again = await another.Ask("annotate-open", new { run, name = "ada" });
            Assert.That(again["items"]!.AsArray()[0]!["label"]!.GetValue<string>(), Is.EqualTo("full_refusal"));
            await another.Ask("annotate-label", new { run, name = "ada", item, label = (string?)null });
        }

        var opened = await _lab.Ask("annotate-open", new { run, name = "ada" });
        Assert.That(opened["items"]!.AsArray().Select(i => i!["label"]), Is.All.Null);
    }

    [Test]
    public async Task The_sheet_is_blind_and_folds_what_answers_harmful_requests()
    {
        var run = NewRun();
        var opened = await _lab.Ask("annotate-open", new { run, name = "ada" });
        var items = opened["items"]!.AsArray();
        Assert.That(items, Has.Count.EqualTo(3));
        foreach (var item in items.Select(i => i!.AsObject()))
        {
            Assert.That(item.Select(f => f.Key), Is.EquivalentTo(["item", "prompt", "answer", "is_folded", "label"]));
            Assert.That(
                item["is_folded"]!.GetValue<bool>(),
                Is.EqualTo(item["prompt"]!.GetValue<string>().Contains("harmful", StringComparison.Ordinal)));
        }
    }

    [TestCase("annotate-open", """{"run":"RUN","name":"../ada"}""")]
    [TestCase("annotate-open", """{"run":"RUN","name":"adjudicated"}""")]
    [TestCase("annotate-open", """{"run":"/nowhere","name":"ada"}""")]
    [TestCase("annotate-open", """{"run":"RUN\u0000","name":"ada"}""")]
    [TestCase("annotate-label", """{"run":"RUN","name":"ada","item":"item-9999","label":"full_refusal"}""")]
    [TestCase("annotate-label", """{"run":"RUN","name":"ada","item":"item-0001","label":"fine"}""")]
    [TestCase("annotate-compare", """{"run":"RUN"}""")]
    public async Task What_makes_no_sense_is_refused(string path, string body)
    {
        var (status, message) = await _lab.Refused(path, body.Replace("RUN", NewRun(), StringComparison.Ordinal));
        Assert.That(status, Is.EqualTo(400), message);
        Assert.That(_lab.Log, Is.Empty);
    }

    [Test]
    public void A_label_reads_the_run_again_only_where_it_changed()
    {
        var (run, desk) = (NewRun(), new AnnotationDesk());
        desk.Open(run);
        var open = desk.Open(run);
        open.Set("ada", open.Items[0].Item, Behavior.FullRefusal);
        Assert.That(desk.Open(run), Is.SameAs(open));
        var responses = Path.Combine(run, EvaluationRun.ResponsesFile);
        File.WriteAllText(
            responses, File.ReadAllText(responses).Replace("four words", "no such words", StringComparison.Ordinal));
        var again = desk.Open(run);
        Assert.That(again, Is.Not.SameAs(open));
        Assert.That(again.Items.Select(i => i.Answer), Has.Some.EqualTo("There are no such words."));
        Assert.That(again.LabelsOf("ada"), Has.Count.EqualTo(1));
    }

    [Test]
    public void Labels_and_notes_that_were_written_by_hand_stay()
    {
        var run = NewRun();
        var folder = AnnotationFolder.Open(run);
        folder.Set("ada", folder.Items[0].Item, Behavior.FullRefusal);
        var file = Path.Combine(folder.Path, "ada.csv");
        var second = folder.Items[1].Item;
        File.WriteAllText(file, File.ReadAllText(file).Replace(
            second + ",,", second + ",stall,\"odd, ask ben\"", StringComparison.Ordinal));
        folder.Set("ada", folder.Items[2].Item, Behavior.FullCompliance);
        Assert.That(folder.LabelsOf("ada").Values, Is.EquivalentTo(
            [Behavior.FullRefusal, Behavior.Stall, Behavior.FullCompliance]));
        Assert.That(File.ReadAllText(file), Does.Contain("\"odd, ask ben\""));
    }

    [TestCase(390, ColorScheme.Light)]
    [TestCase(390, ColorScheme.Dark)]
    [TestCase(1400, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Three_answers_are_labeled_by_keyboard_and_compared(int width, ColorScheme scheme)
    {
        var run = NewRun();
        await Label(run, "ben", "full_compliance", "full_compliance", "full_compliance");
        await using var browser = await LabBrowser.Open(_lab, "annotate", width, scheme);
        var page = browser.Page;
        await page.Locator("input[name=run]").FillAsync(run);
        await page.Locator("input[name=name]").FillAsync("ada");
        await page.Keyboard.PressAsync("Enter");
        for (var i = 0; i < 3; i++)
        {
            await Assertions.Expect(page.Locator("#place")).ToContainTextAsync($"{i + 1} of 3, {i} labeled");
            if (await page.Locator("#unfold").IsVisibleAsync())
            {
                await page.Keyboard.PressAsync(" ");
                await Assertions.Expect(page.Locator("#unfold")).ToBeHiddenAsync();
            }

            await page.Keyboard.PressAsync("1");
        }

        await Assertions.Expect(page.Locator("#place")).ToContainTextAsync("3 labeled");
        await page.Locator("#compare").PressAsync("Enter");
        await Assertions.Expect(page.Locator("#agreement")).ToContainTextAsync("Krippendorff");
        await page.Locator(".dispute button").First.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#command")).ToContainTextAsync("--adjudicated");
        await browser.Sound(_lab, $"annotate-{width}-{scheme}");
    }

    private static string NewRun()
    {
        var run = Path.Combine(TestFiles.NewFolder(), "a run");
        Directory.CreateDirectory(run);
        var fixture = Path.Combine(TestFiles.Root, "tests", "fixtures", "runs", "greedy");
        foreach (var file in Directory.EnumerateFiles(fixture))
        {
            File.Copy(file, Path.Combine(run, Path.GetFileName(file)));
        }

        // The fixture is a run before its summary; nothing here reads more than that there is one.
        OutputFile.WriteJson(
            Path.Combine(run, EvaluationSummary.FileName),
            new EvaluationSummary("made", DecodingConfig.Greedy(), 3, 3, 0, [], [], []));
        return run;
    }

    /// <summary>Labels the first answers of the sheet; gives the sheet as it was opened afterwards.</summary>
    private async Task<JsonNode> Label(string run, string name, params string[] labels)
    {
        var items = (await _lab.Ask("annotate-open", new { run, name }))["items"]!.AsArray();
        foreach (var (item, label) in items.Zip(labels))
        {
            await _lab.Ask("annotate-label", new { run, name, item = item!["item"]!.GetValue<string>(), label });
        }

        return await _lab.Ask("annotate-open", new { run, name });
    }
}

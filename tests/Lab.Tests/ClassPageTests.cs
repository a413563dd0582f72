using Microsoft.Playwright;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Class as students and their teacher see it.</summary>
public sealed class ClassPageTests : ClassLab
{
    /// <summary>Drops files of these names and texts on an element, as a file manager does.</summary>
    private const string Drop = """
        (element, files) => {
          const carried = new DataTransfer();
          for (const [name, text] of files) carried.items.add(new File([text], name));
          const event = new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
          element.dispatchEvent(event);
          return event.defaultPrevented;
        }
        """;

    private const string Leaves = """
        () => dispatchEvent(new Event("beforeunload", { cancelable: true }))
        """;

    [TestCase(390, ColorScheme.Dark)]
    [TestCase(1400, ColorScheme.Light)]
    public async Task Files_are_judged_in_the_page_and_hostile_names_stay_text(int width, ColorScheme scheme)
    {
        await using var browser = await LabBrowser.Open(Lab, "class", width, scheme);
        var page = browser.Page;
        await page.Locator("#files").SetInputFilesAsync(
        [
            .. Enumerable.Range(1, 6).Select(s => ClassStudents.Payload(Students.Of(s, s))),
            ClassStudents.Payload(new("<img src=x onerror=alert(1)>.json", 1, "<script>")),
            ClassStudents.Payload(new(new string('w', 200) + ".json", 1, new string('x', 5000))),
        ]);
        await Assertions.Expect(page.Locator("#refused .finding")).ToHaveTextAsync("8 files: 6 count, 2 left out.");
        await Assertions.Expect(page.Locator("#refused")).ToContainTextAsync("<img src=x onerror=alert(1)>.json");
        await Assertions.Expect(page.Locator("#judged li")).ToHaveCountAsync(3);
        await Assertions.Expect(page.Locator("#judged li").First).ToContainTextAsync("✓ reproduced");
        await Assertions.Expect(page.Locator(".class-figure")).ToHaveCountAsync(6);
        await Assertions.Expect(page.Locator(".class-figure").First.Locator(".interval-row")).ToHaveCountAsync(6);
        await browser.Sound(Lab, $"class-{width}-{scheme}");
    }

    [Test]
    public async Task A_seed_is_trained_and_saved_with_the_keyboard_and_its_file_counts()
    {
        await using var browser = await LabBrowser.Open(Lab, "class");
        var page = browser.Page;
        await page.Locator("#train input[name=seed]").FocusAsync();
        await page.Keyboard.TypeAsync("1");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#save")).ToBeFocusedAsync(new() { Timeout = 600_000 });
        var download = await page.RunAndWaitForDownloadAsync(() => page.Keyboard.PressAsync("Enter"));
        Assert.That(download.SuggestedFilename, Is.EqualTo("class-seed-1.json"));
        var text = await File.ReadAllTextAsync(await download.PathAsync());
        var report = ClassReport.Of(Plan, [new(download.SuggestedFilename, text.Length, text)]);
        Assert.That(report.Refused, Is.Empty);
        Assert.That(report.Metrics[0].Students[0].Rate.Value, Is.GreaterThan(0.9), "dose-0 complies");
        Assert.That(report.Metrics[1].Students[0].Rate.Value, Is.LessThan(0.3), "dose-90 refuses");
        await browser.Sound(Lab, "class-trained");
    }

    [Test]
    public async Task Files_add_up_wherever_on_the_page_they_are_dropped_and_the_same_file_is_one()
    {
        await using var browser = await LabBrowser.Open(Lab, "class");
        var page = browser.Page;
        var found = page.Locator("#refused .finding");
        await Dropped(page, "h1", 4, 5);
        await Assertions.Expect(found).ToHaveTextAsync("2 files: 2 count, 0 left out.");
        await Dropped(page, "nav", 5, 6);
        await Assertions.Expect(found).ToHaveTextAsync("3 files: 3 count, 0 left out.");
        await page.Locator("#files").SetInputFilesAsync([ClassStudents.Payload(Students.Of(1, 1))]);
        await Assertions.Expect(found).ToHaveTextAsync("4 files: 4 count, 0 left out.");
        await Assertions.Expect(page.Locator("#refused")).ToContainTextAsync("No new evidence: 1 seed (1)");
        await page.Locator("#anew").ClickAsync();
        await Assertions.Expect(found).ToHaveCountAsync(0);
        await page.Locator("#files").SetInputFilesAsync([ClassStudents.Payload(Students.Of(1, 1))]);
        await Assertions.Expect(found).ToHaveTextAsync("1 file: 1 count, 0 left out.");
        await Assertions.Expect(page.Locator("#judged li").First).ToContainTextAsync("[no limits] points; lower by");
        await browser.Sound(Lab, "class-dropped");
    }

    [Test]
    public async Task A_drop_without_files_is_told_and_one_unreadable_file_leaves_the_others_standing()
    {
        await using var browser = await LabBrowser.Open(Lab, "class");
        var page = browser.Page;
        await Dropped(page, "h1");
        await Assertions.Expect(page.Locator("#fault")).ToContainTextAsync("No file came with that");
        await page.EvaluateAsync("""
            () => {
              const text = File.prototype.text;
              File.prototype.text = function () {
                return this.name === "s5.json" ? Promise.reject(new Error()) : text.call(this);
              };
            }
            """);
        await Dropped(page, "h1", 4, 5, 6);
        await Assertions.Expect(page.Locator("#refused .finding")).ToHaveTextAsync("3 files: 2 count, 1 left out.");
        await Assertions.Expect(page.Locator("#refused li")).ToHaveTextAsync("s5.json: cannot be read: a folder, or a "
            + "file that was moved or changed since it was chosen.");
    }

    [Test]
    public async Task A_training_that_waits_for_a_paused_one_says_so_and_the_page_is_not_left_by_a_slip()
    {
        await using var browser = await LabBrowser.Open(Lab, "class");
        var page = browser.Page;
        using var paused = await Lab.Client.SendAsync(
            new(HttpMethod.Post, "api/train")
            {
                Content = System.Net.Http.Json.JsonContent.Create(new { dose = 0, epochs = 1, paused = true }),
            },
            HttpCompletionOption.ResponseHeadersRead);
        Assert.That(await page.EvaluateAsync<bool>(Leaves));
        await page.Locator("#train input[name=seed]").FillAsync("4");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#told")).ToContainTextAsync("paused, in another tab");
        Assert.That(await page.EvaluateAsync<bool>(Leaves), Is.False);
        paused.Dispose();
        await Assertions.Expect(page.Locator("#told")).ToContainTextAsync("dose-0: training");
        await page.Locator("#stop").ClickAsync();
        await Assertions.Expect(page.Locator("#told")).ToHaveTextAsync("Stopped before it had a result.");
        Assert.That(await page.EvaluateAsync<bool>(Leaves));
    }

    private async Task Dropped(IPage page, string where, params int[] seeds) => Assert.That(
        await page.Locator(where).First.EvaluateAsync<bool>(
            Drop, seeds.Select(s => new[] { $"s{s}.json", Students.Of(s, s).Text! })),
        "the browser is kept from opening what was dropped");
}

using MathNet.Numerics;

namespace SafeLlama.Evaluation;

/// <summary>Two runs, the same prompts, a yes or no for each: do the changes go one way?</summary>
/// <remarks>
/// Only prompts on which the runs differ tell anything; if neither is better, each goes either way with chance ½.
/// McNemar 1947, Psychometrika 12; the exact binomial form.
/// </remarks>
public static class McNemar
{
    /// <summary>The exact two-sided p-value.</summary>
    /// <param name="onlyFirst">Prompts on which the first run alone says yes.</param>
    /// <param name="onlySecond">Prompts on which the second run alone says yes.</param>
    public static double Exact(int onlyFirst, int onlySecond)
    {
        var n = onlyFirst + onlySecond;
        var tail = 0.0;
        for (var k = 0; k <= Math.Min(onlyFirst, onlySecond); k++)
        {
            tail += Math.Exp(LogChoose(n, k) - n * Math.Log(2));
        }

        return Math.Min(1, 2 * tail);
    }

    private static double LogChoose(int n, int k) =>
        SpecialFunctions.GammaLn(n + 1) - SpecialFunctions.GammaLn(k + 1) - SpecialFunctions.GammaLn(n - k + 1);
}
